{
  buildCache,
  endpoint,
  makeModel,
  readEndpoint,
  readLock,
}:
let
  inherit (builtins)
    attrNames
    attrValues
    elem
    filter
    head
    isAttrs
    mapAttrs
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
in
/**
  The models and datasets of a lock.

  # Inputs

  `argument`
  : path of a `hug.lock.json`, a flake input that is one, or its parsed content; or
    `{ lock; overrides ? { }; }`, where `overrides.models.NAME."path"` is a path or a derivation: a file
    that the entry NAME has in place of the locked one, or beside the locked ones

  # Output

  `models`, `datasets`
  : entry name → derivation, see `make-model.nix`

  `cache`
  : a Hugging Face cache of all of them, see `build-cache.nix`

  `env`
  : the variables of programs that load from it, see `cache-env.nix`

  # Errors

  Those of `read-lock.nix` and `read-endpoint.nix`, when the value that they concern is used. Overrides
  of an unknown entry, and values that are no files.
*/
argument:
let
  hasOptions = isAttrs argument && argument ? lock && !(argument ? outPath);
  options = if hasOptions then argument else { lock = argument; };
  unknown = attrNames (
    removeAttrs options [
      "lock"
      "overrides"
    ]
  );
  content =
    if unknown == [ ] then
      readLock options.lock
    else
      throw "nix-hug: importLock: unknown argument ${head unknown}; it takes lock and overrides";
  overrides = checkOverrides content (options.overrides or { });
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
        overrides = overrides.${section}.${name} or { };
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
