{
  buildCache,
  endpoint,
  makeModel,
  makeOci,
  readEndpoint,
  readLock,
}:
let
  inherit (builtins)
    any
    attrNames
    attrValues
    concatMap
    concatStringsSep
    elem
    filter
    head
    isAttrs
    listToAttrs
    mapAttrs
    substring
    toJSON
    ;

  inherit (import ./valid.nix) isBelowFile isPath;

  fail = place: problem: throw "nix-hug: importLock: overrides${place} ${problem}";

  isFile =
    value:
    builtins.isPath value
    || isAttrs value && value ? outPath
    || builtins.isString value && builtins.hasContext value;

  # The overrides of one entry, checked.
  checkFiles =
    place: locked: files:
    let
      problemOf =
        path:
        if !isPath path then
          "is not a path inside the repository"
        else if !isFile files.${path} then
          "is neither a path nor a derivation"
        else if isBelowFile (locked // files) path then
          "lies below a path that is a file"
        else
          null;
      bad = filter (path: problemOf path != null) (attrNames files);
    in
    if !isAttrs files then
      fail place "is not a set of files"
    else if bad != [ ] then
      fail "${place}.${toJSON (head bad)}" (problemOf (head bad))
    else
      files;

  # Every section and entry of the overrides, checked; those of a section are by entry name.
  checkOverrides =
    content: overrides:
    let
      sections = [
        "models"
        "datasets"
      ];
      unknown = filter (section: !elem section sections) (attrNames overrides);
      ofSection =
        section: entries:
        let
          missing = filter (name: !(content.${section} ? ${name})) (attrNames entries);
        in
        if missing != [ ] then
          fail ".${section}.${head missing}" "is not in the lock"
        else
          mapAttrs (
            name: checkFiles ".${section}.${name}" content.${section}.${name}.files
          ) entries;
    in
    if unknown != [ ] then
      fail ".${head unknown}" "is neither models nor datasets"
    else
      mapAttrs ofSection overrides;

  typeOf = key: if substring 0 9 key == "datasets/" then "dataset" else "model";
in
/**
  The models and datasets of a lock.

  # Inputs

  `argument`
  : path of a `hug.lock.json`, a flake input that is one, or its parsed content; or
    `{ lock; overrides ? { }; policy ? { }; }`, where `overrides.models.NAME."path"` is a path or a
    derivation: a file that the entry NAME has in place of the locked one, or beside the locked ones;
    and `policy` says what entries may be, see `policy.nix`

  # Output

  `models`, `datasets`
  : entry name → derivation, see `make-model.nix`, with its `cache`, a Hugging Face cache of it and of all
    that it needs, and its `oci`, see `oci.nix`

  `needed`
  : `models/org/name@ref` → the same, of what entries need

  `cache`
  : a Hugging Face cache of all of them, see `build-cache.nix`

  `groups`
  : group → `{ cache; env; }` of the entries without groups, those of the group, and what these need

  `forGroups`
  : names of groups → the same for the entries of any of these groups

  `env`
  : the variables of programs that load from the cache, see `cache-env.nix`

  # Errors

  Those of `read-lock.nix` and `read-endpoint.nix`, when the value that they concern is used. Overrides
  of an unknown entry, and values that are no files. A lock that breaks the policy, with every violation.
*/
argument:
let
  hasOptions = isAttrs argument && argument ? lock && !(argument ? outPath);
  options = if hasOptions then argument else { lock = argument; };
  unknown = attrNames (
    removeAttrs options [
      "lock"
      "overrides"
      "policy"
    ]
  );
  content =
    if unknown == [ ] then
      readLock options.lock
    else
      throw "nix-hug: importLock: unknown argument ${head unknown}; it takes lock, overrides and policy";
  overrides = checkOverrides content (options.overrides or { });
  source = readEndpoint (content.endpoint or "https://huggingface.co");
  address = if endpoint == null then source else endpoint;
  make =
    section: typeOfName:
    mapAttrs (
      name: locked:
      withViews (makeModel {
        inherit locked source;
        type = typeOfName name;
        endpoint = address;
        entry = "${section}.${name}";
        overrides = overrides.${section}.${name} or { };
        needs = needsOf locked;
      })
    ) (content.${section} or { });

  # Models and datasets are told apart by their own `type`.
  cacheOf = values: buildCache { models = values; };
  withViews =
    model:
    model
    // {
      cache = cacheOf [ model ];
      oci = makeOci model;
    };

  needsOf = import ./needs.nix {
    inherit models needed;
    locked = content.models;
  };

  models = make "models" (_: "model");
  datasets = make "datasets" (_: "dataset");
  needed = make "needed" typeOf;

  declared = attrValues models ++ attrValues datasets;
  takenBy =
    names:
    filter (
      { locked, ... }:
      let
        groups = locked.groups or [ ];
      in
      groups == [ ] || any (name: elem name names) groups
    ) declared;
  withEnv = cache: {
    inherit cache;
    env = import ./cache-env.nix cache;
  };

  groupNames = concatMap (entry: entry.groups or [ ]) (
    attrValues content.models ++ attrValues content.datasets
  );
  groups = listToAttrs (
    map (name: {
      inherit name;
      value = forGroups [ name ];
    }) groupNames
  );
  forGroups =
    names:
    let
      missing = filter (name: !elem name groupNames) names;
    in
    if missing != [ ] then
      throw "nix-hug: importLock: no entry is in the group ${toJSON (head missing)}; the groups are: ${concatStringsSep ", " (attrNames groups)}"
    else
      withEnv (cacheOf (takenBy names));
  subjectOf =
    { paths, ... }: if paths == [ ] then "it" else concatStringsSep ", " (map toJSON paths);
  violations = import ./policy.nix {
    inherit content overrides;
    inherit (options) policy;
  };
  lines = map (
    violation:
    "\n  ${violation.place} breaks the rule ${violation.rule}: ${subjectOf violation} ${violation.reason}"
  ) violations;
in
if options ? policy && violations != [ ] then
  throw "nix-hug: the lock breaks the policy:${concatStringsSep "" lines}"
else
{
  inherit
    models
    datasets
    needed
    groups
    forGroups
    ;
}
// withEnv (cacheOf (declared ++ attrValues needed))
