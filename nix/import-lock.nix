{
  buildCache,
  endpoint,
  makeModel,
  readEndpoint,
  readLock,
}:
let
  inherit (builtins) attrValues mapAttrs;
in
/**
  The models and datasets of a lock.

  # Inputs

  `lock`
  : path of a `hug.lock.json`, or its parsed content

  # Output

  `models`, `datasets`
  : entry name → derivation, see `make-model.nix`

  `cache`
  : a Hugging Face cache of all of them, see `build-cache.nix`

  `env`
  : the variables of programs that load from it, see `cache-env.nix`

  # Errors

  Those of `read-lock.nix` and `read-endpoint.nix`, when the value that they concern is used.
*/
lock:
let
  content = readLock lock;
  address =
    if endpoint == null then
      readEndpoint (content.endpoint or "https://huggingface.co")
    else
      endpoint;
  make =
    type: section:
    mapAttrs (
      name: locked:
      makeModel {
        inherit locked type;
        endpoint = address;
        entry = "${section}.${name}";
      }
    ) content.${section};
in
rec {
  models = make "model" "models";
  datasets = make "dataset" "datasets";
  cache = buildCache {
    models = attrValues models;
    datasets = attrValues datasets;
  };
  env = import ./cache-env.nix cache;
}
