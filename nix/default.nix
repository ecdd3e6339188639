/**
  The Nix library of nix-hug. Evaluation is pure: no request is made, nothing is built, and no build
  is needed to know what to fetch. `fetchModel` and `fetchDataset` are pure too, but make requests:
  what they fetch in evaluation is pinned by hashes.

  # Inputs

  `pkgs`
  : a nixpkgs; only `bash` and `coreutils` are used, and not before a model or a cache is
    instantiated. Reading a lock and fetching its files need none.

  `endpoint`
  : the Hub or mirror to download from, in place of the one in the lock; an empty one counts as none

  `fetchFile`
  : replaces the fetcher, see `fetch-file.nix`: `{ name, url, hash }` → a path or a derivation
*/
{
  pkgs,
  endpoint ? null,
  fetchFile ? null,
}:
let
  readLock = import ./read-lock.nix;
  runScript = import ./run-script.nix { inherit pkgs; };
  linkFiles = import ./link-files.nix { inherit runScript; };
  makeModel = import ./make-model.nix {
    inherit linkFiles;
    fetchFile = if fetchFile == null then import ./fetch-file.nix else fetchFile;
  };
  buildCache = import ./build-cache.nix { inherit linkFiles runScript; };
  readEndpoint = import ./read-endpoint.nix;
  ownEndpoint = readEndpoint endpoint;
  fetchRepo = import ./fetch-repo.nix {
    inherit makeModel;
    endpoint = ownEndpoint;
  };
  importLock = import ./import-lock.nix {
    inherit
      buildCache
      makeModel
      readEndpoint
      readLock
      ;
    endpoint = ownEndpoint;
  };
in
{
  inherit buildCache importLock readLock;
  fetchModel = fetchRepo "model";
  fetchDataset = fetchRepo "dataset";
}
