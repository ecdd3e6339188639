/**
  The Nix library of nix-hug. Evaluating a lock makes no request, builds nothing and imports nothing
  from a derivation. `fetchModel` and `fetchDataset` download during evaluation, pinned by hashes.

  # Inputs

  `pkgs`
  : a nixpkgs, of which `bash` and `coreutils` are used, when a model or a cache is instantiated, and
    the command line by `checkLock`. Reading a lock and instantiating single files use none of it.

  `endpoint`
  : the Hub or mirror to download from, in place of the lock's. "" counts as null.

  `fetchFile`
  : `{ name, url, hash, entry, path, ... }` → a path or a derivation, in place of `fetch-file.nix`;
    `path` in the repository of `entry`

  # Output

  The functions, and `override`, which takes other values for some of the arguments.
*/
{
  pkgs,
  endpoint ? null,
  fetchFile ? null,
}@arguments:
let
  readLock = import ./read-lock.nix;
  runScript = import ./run-script.nix { inherit pkgs; };
  linkFiles = import ./link-files.nix { inherit runScript; };
  ownFetchFile = import ./fetch-file.nix;
  # A `fetchFile` of the user has no lanes: it may return anything.
  inLanes =
    if fetchFile == null then import ./in-lanes.nix { fetchFile = ownFetchFile; } else (_: null);
  makeModel = import ./make-model.nix {
    inherit inLanes linkFiles;
    fetchFile = if fetchFile == null then ownFetchFile else fetchFile;
  };
  buildCache = import ./build-cache.nix { inherit inLanes linkFiles runScript; };
  makeOci = import ./oci.nix { inherit linkFiles; };
  readEndpoint = import ./read-endpoint.nix;
  ownEndpoint = readEndpoint endpoint;
  fetchModel = import ./fetch-model {
    inherit makeModel;
    endpoint = ownEndpoint;
  };
  importLock = import ./import-lock.nix {
    inherit
      buildCache
      makeModel
      makeOci
      readEndpoint
      readLock
      ;
    endpoint = ownEndpoint;
  };
in
{
  inherit buildCache importLock readLock;
  fetchModel = fetchModel "model";
  fetchDataset = fetchModel "dataset";
  checkLock = import ./check-lock.nix { inherit pkgs runScript; };
  linkTree = import ./link-tree.nix { inherit linkFiles; };
  override = changes: import ./. (arguments // changes);
}
