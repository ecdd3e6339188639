let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    concatStringsSep
    elem
    filter
    genericClosure
    head
    isAttrs
    isList
    isString
    listToAttrs
    match
    split
    ;

  inherit (import ./shape.nix) optional problemIn;
  toLower = import ./to-lower.nix;

  rules = [
    "formats"
    "remoteCode"
    "licenses"
    "owners"
  ];

  setOfNames =
    names:
    listToAttrs (
      map (name: {
        inherit name;
        value = null;
      }) names
    );
  setOf = words: setOfNames (filter isString (split " " words));
  # The tables of `src/resolve/policy.ts`.
  unsafe = setOf "bin pt pth ckpt pkl pickle joblib dill dat data npy npz zip 7z tar gz tgz mar nemo h5 hdf5 keras pb ot model_state";
  safe = setOf "safetensors gguf json jsonl txt md model spm tiktoken jinja csv tsv parquet arrow onnx onnx_data msgpack tflite png jpg jpeg webp gif svg wav mp3 flac ogg mp4 pdf yaml yml xml gitattributes";
  code = setOf "py pyc so dll dylib whl sh";
  namesCode = setOf "config.json tokenizer_config.json processor_config.json preprocessor_config.json video_preprocessor_config.json modules.json router_config.json";

  extensionOf =
    path:
    let
      found = match ".*\\.([^.]*)" (toLower (baseNameOf path));
    in
    if found == null then "" else head found;

  isCode = path: code ? ${extensionOf path};
  isUnsafe =
    path: isLfs:
    let
      extension = extensionOf path;
    in
    match ".*\\.onnx\\.data" (toLower path) == null
    && (unsafe ? ${extension} || isLfs && !(safe ? ${extension}) && !(code ? ${extension}));

  fail = problem: throw "nix-hug: importLock: policy ${problem}";

  isTexts = values: isList values && values != [ ] && all isString values;
  isOneOf = words: value: isString value && elem value words;

  shape = {
    formats = optional (isOneOf [
      "safe"
      "any"
    ]) "safe or any";
    remoteCode = optional (isOneOf [
      "deny"
      "omit"
      "allow"
    ]) "deny, omit or allow";
    licenses = optional isTexts "a list of licences";
    owners = optional isTexts "a list of owners";
    allow = optional isAttrs "a set of entries";
  };

  checked =
    policy:
    let
      problem = problemIn shape policy;
    in
    if isAttrs policy && policy ? minimumAge then
      fail "has minimumAge, which only the command line checks: evaluation has no clock"
    else if problem != null then
      fail problem
    else
      policy;

  # The rules that entries may break, by place.
  allowedIn =
    content: allow:
    let
      ofSection =
        section:
        let
          entries = allow.${section};
          bad = filter (name: !(content.${section} or { } ? ${name})) (attrNames entries);
          isRules = name: isList entries.${name} && all (rule: elem rule rules) entries.${name};
          wrong = filter (name: !isRules name) (attrNames entries);
        in
        if
          !elem section [
            "models"
            "datasets"
          ]
        then
          fail "allow.${section} is neither models nor datasets"
        else if bad != [ ] then
          fail "allow.${section}.${head bad} is not in the lock"
        else if wrong != [ ] then
          fail "allow.${section}.${head wrong} is not a list of rules: ${concatStringsSep ", " rules}"
        else
          map (name: {
            name = "${section}.${name}";
            value = entries.${name};
          }) (attrNames entries);
    in
    listToAttrs (concatMap ofSection (attrNames allow));
in
/**
  What breaks a policy in a lock. `violationsOf` of `src/resolve/policy.ts` has the same rules.

  # Inputs

  `policy`
  : `{ formats ? "any"; remoteCode ? "allow"; licenses ? null; owners ? null; allow ? { }; }` with the
    values of `hug.yaml`; `allow.models.NAME` names the rules that an entry may break. `omit` means
    `deny`, since a lock has what it has

  `content`
  : the lock, checked

  `overrides`
  : section → entry → path → a file that the entry has beside or in place of the locked ones

  # Output

  A list of `{ place; rule; paths; reason; }`, by section, entry and rule.

  # Errors

  A policy that has another key or value, `minimumAge`, and exemptions of unknown entries.
*/
{
  policy,
  content,
  overrides,
}:
let
  settings = checked policy;
  allowed = allowedIn content (settings.allow or { });

  placesIn =
    section:
    listToAttrs (
      map (name: {
        inherit name;
        value = rec {
          place = "${section}.${name}";
          locked = content.${section}.${name};
          files = locked.files // (overrides.${section}.${name} or { });
        };
      }) (attrNames (content.${section} or { }))
    );
  models = placesIn "models";
  datasets = placesIn "datasets";
  needed = placesIn "needed";
  valuesOf = places: map (name: places.${name}) (attrNames places);
  declared = valuesOf models ++ valuesOf datasets;

  needsOf = import ./needs.nix {
    inherit models needed;
    locked = content.models;
  };

  # Places of an entry and of all that it needs.
  closureOf =
    root:
    let
      itemOf = value: {
        key = value.place;
        inherit value;
      };
    in
    map ({ key, ... }: key) (genericClosure {
      startSet = [ (itemOf root) ];
      operator = { value, ... }: map itemOf (needsOf value.locked);
    });
  needing = map (root: {
    rules = allowed.${root.place} or [ ];
    places = setOfNames (closureOf root);
  }) (filter ({ locked, ... }: locked ? needs) declared);

  # What is needed may break a rule that all entries that need it may break.
  mayBreak =
    isNeeded: place: rule:
    if isNeeded then
      let
        roots = filter ({ places, ... }: places ? ${place}) needing;
      in
      roots != [ ] && all (root: elem rule root.rules) roots
    else
      elem rule (allowed.${place} or [ ]);

  deniesCode = elem (settings.remoteCode or "allow") [
    "deny"
    "omit"
  ];
  licenses = map toLower (settings.licenses or [ ]);
  when = condition: values: if condition then values else [ ];

  brokenBy =
    isNeeded:
    {
      place,
      locked,
      files,
    }:
    let
      paths = attrNames files;
      unsafeFiles = filter (path: isUnsafe path (locked.files.${path}.lfs or false)) paths;
      codeFiles = filter isCode paths;
      hasCode = { files, ... }: any isCode (attrNames files);
      codeNeeds = filter (
        need:
        namesCode ? ${baseNameOf need.by}
        && (
          let
            found = needsOf { needs = [ need ]; };
          in
          found == [ ] || any hasCode found
        )
      ) (locked.needs or [ ]);
      badLicenses = filter (license: !elem (toLower license) licenses) (
        locked.license or [ "undeclared" ]
      );
      owner = head (split "/" locked.repo);
      violation = rule: paths: reason: {
        inherit
          place
          rule
          paths
          reason
          ;
      };
    in
    filter ({ rule, ... }: !mayBreak isNeeded place rule) (
      when (settings.formats or "any" == "safe" && unsafeFiles != [ ]) [
        (violation "formats" unsafeFiles "can run code when loaded")
      ]
      ++ when (deniesCode && codeFiles != [ ]) [ (violation "remoteCode" codeFiles "is code") ]
      ++ when deniesCode (
        map (need: violation "remoteCode" [ need.by ] "names code of ${need.repo}") codeNeeds
      )
      ++ when (settings ? licenses) (
        map (
          license:
          violation "licenses" [ ] (
            if license == "undeclared" then "declares no licence" else "has the licence ${license}"
          )
        ) badLicenses
      )
      ++ when (settings ? owners && !elem owner settings.owners) [
        (violation "owners" [ ] "belongs to ${owner}")
      ]
    );
in
# Exemptions are checked where no rule asks for them, too.
builtins.seq allowed (
  concatMap (brokenBy false) declared ++ concatMap (brokenBy true) (valuesOf needed)
)
