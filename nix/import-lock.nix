{
  buildCache,
  endpoint,
  makeModel,
  readEndpoint,
  readLock,
}:
let
  inherit (builtins)
    attrValues
    concatMap
    elem
    filter
    listToAttrs
    mapAttrs
    substring
    ;

  typeOf = key: if substring 0 9 key == "datasets/" then "dataset" else "model";
in
/**
  The models and datasets of a lock.

  # Inputs

  `lock`
  : path of a `hug.lock.json`, or its parsed content

  # Output

  `models`, `datasets`
  : entry name → derivation, see `make-model.nix`

  `needed`
  : `models/org/name@ref` → derivation, of what entries need

  `cache`
  : a Hugging Face cache of all of them, see `build-cache.nix`

  `groups`
  : group → `{ cache; env; }` of the entries without groups, those of the group, and what is needed

  `env`
  : the variables of programs that load from the cache, see `cache-env.nix`

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
    section: typeOfName:
    mapAttrs (
      name: locked:
      makeModel {
        inherit locked;
        type = typeOfName name;
        endpoint = address;
        entry = "${section}.${name}";
      }
    ) (content.${section} or { });

  models = make "models" (_: "model");
  datasets = make "datasets" (_: "dataset");
  needed = make "needed" typeOf;

  # The cache of the entries that `isTaken` accepts by their groups, and of what is needed, with its
  # environment.
  cacheOf =
    isTaken:
    let
      taken = section: filter (value: isTaken (value.locked.groups or [ ])) (attrValues section);
    in
    rec {
      # Models and datasets are told apart by their own `type`.
      cache = buildCache {
        models = taken models ++ attrValues needed;
        datasets = taken datasets;
      };
      env = import ./cache-env.nix cache;
    };

  groupNames = concatMap (entry: entry.groups or [ ]) (
    attrValues content.models ++ attrValues content.datasets
  );
in
{
  inherit models datasets needed;
  groups = listToAttrs (
    map (name: {
      inherit name;
      value = cacheOf (groups: groups == [ ] || elem name groups);
    }) groupNames
  );
}
// cacheOf (_: true)
