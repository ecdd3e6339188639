/**
  The Nix library of nix-hug. Evaluation is pure: no request is made, nothing is built, and no build
  is needed to know what to fetch. `fetchModel` and `fetchDataset` are pure too, but make requests:
  what they fetch in evaluation is pinned by hashes.

  # Inputs

  `pkgs`
  : a nixpkgs; only `bash` and `coreutils` are used, and not before a model or a cache is
    instantiated. Reading a lock and fetching its files need none.

  `endpoint`
  : the Hub or mirror to download from, in place of the one in the lock

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
  fetchRepo = import ./fetch-repo.nix { inherit endpoint makeModel; };
  importLock = import ./import-lock.nix {
    inherit
      buildCache
      endpoint
      makeModel
      readLock
      ;
  };
in
{
  inherit buildCache importLock readLock;
  fetchModel = fetchRepo "model";
  fetchDataset = fetchRepo "dataset";
}
