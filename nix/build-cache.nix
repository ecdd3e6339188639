{
  inLanes,
  linkFiles,
  runScript,
}:
let
  inherit (builtins)
    any
    attrNames
    attrValues
    concatMap
    filter
    foldl'
    groupBy
    head
    length
    listToAttrs
    mapAttrs
    ;

  withNeeded = import ./with-needed.nix;
  script = builtins.readFile ./build-cache.sh;

  # Files that loaders look for and can do without; the same list is in `src/cache/trees.ts`.
  probedFiles = [
    "adapter_config.json"
    "adapter_model.safetensors"
    "added_tokens.json"
    "chat_template.jinja"
    "chat_template.json"
    "config.json"
    "config_sentence_transformers.json"
    "generation_config.json"
    "model.safetensors"
    "model.safetensors.index.json"
    "modules.json"
    "preprocessor_config.json"
    "processor_config.json"
    "special_tokens_map.json"
    "tokenizer.json"
    "tokenizer.model"
    "tokenizer_config.json"
    "video_preprocessor_config.json"
  ];

  concat = builtins.concatStringsSep "";

  folderOf = type: id: "${type}s--${builtins.replaceStrings [ "/" ] [ "--" ] id}";

  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  # The attribute `key`, which must be the same in all values.
  agreed =
    subject: key: values:
    let
      first = head values;
      others = filter (value: value.${key} != first.${key}) values;
      other = head others;
    in
    if others == [ ] then
      first.${key}
    else
      throw "nix-hug: buildCache: ${subject} is ${first.${key}} in ${first.entry}, but ${other.${key}} in ${other.entry}; leave one of them out";

  # Path → file, of several entries of one commit. A file of two entries must have one identity.
  merge =
    {
      what,
      filesOf,
      identityOf,
    }:
    values:
    foldl' (
      merged: value:
      merged
      // mapAttrs (
        path: file:
        if identityOf (merged.${path} or file) == identityOf file then
          file
        else
          throw "nix-hug: buildCache: ${builtins.toJSON path} of ${value.repo} at ${value.rev} has several ${what} in ${
            builtins.concatStringsSep ", " (map (value: value.entry) values)
          }; leave all but one of them out"
      ) (filesOf value)
    ) { } values;

  mergeFiles = merge {
    what = "hashes";
    filesOf = value: removeAttrs value.locked.files (attrNames value.overrides);
    identityOf = file: file.hash;
  };

  mergeOverrides = merge {
    what = "overrides";
    filesOf = value: value.overrides;
    identityOf = file: "${file}";
  };

  placeOf = value: path: "${folderOf value.type value.repo} ${value.rev} ${path}";

  # Each function below returns records of the plan that `build-cache.sh` executes.

  treeFile =
    path: file:
    "file\t${builtins.toJSON path}\t${toString file.size}\t${file.oid}"
    + (if file ? lfs then "\t${builtins.substring 7 44 file.hash}\n" else "\n");

  # Offline, clients fail for a file that the snapshot does not have, unless it is marked as absent.
  absentFiles =
    folder: rev: values:
    let
      absent = filter (name: !any (value: value.files ? ${name}) values) probedFiles;
    in
    if any (value: !(value.locked ? select)) values then
      "absent\t${folder}/.no_exist/${rev}\t${builtins.concatStringsSep " " absent}\n"
    else
      "";

  # Clients before huggingface_hub 2 make both folders of a repository, and fail where they cannot.
  folders = folder: "folder\t${folder}/blobs\nfolder\t.locks/${folder}\n";

  # `laned` has the derivations of all downloaded files in lanes, or is null.
  snapshot =
    laned: folder: rev: values:
    let
      first = head values;
      overrides = mergeOverrides values;
      union = key: foldl' (all: value: all // value.${key}) { } values;
      ofLane = path: _: laned.${placeOf first path};
      model =
        if length values == 1 && laned == null then
          first.model
        else
          linkFiles {
            inherit (first) name;
            blobs = union "blobs";
            files =
              union "files" // (if laned == null then { } else mapAttrs ofLane (union "requests")) // overrides;
          };
      files = removeAttrs (mergeFiles values) (attrNames overrides);
    in
    "snapshot\t${model}\t${folder}/snapshots/${rev}\n"
    + "tree\t${folder}/trees/${rev}.json\n"
    + concat (attrValues (mapAttrs treeFile files))
    + "end\n"
    + absentFiles folder rev values;

  repository =
    laned: folder: values:
    let
      revisions = groupBy (value: value.rev) values;
      named = groupBy (value: value.ref) (filter (value: value.ref != value.rev) values);
      below = ref: filter (hasPrefix "${ref}/") (attrNames named);
      commitOf =
        ref: values:
        if below ref == [ ] then
          agreed "ref ${ref} of ${(head values).repo}" "rev" values
        else
          throw "nix-hug: buildCache: refs ${ref} and ${head (below ref)} of ${(head values).repo} cannot be in one cache, as a file and its folder; leave one of them out";
      # `hf cache prune` removes a revision without a ref, and some clients find commits by refs only.
      own =
        mapAttrs (rev: _: rev) revisions
        // (if length (attrNames revisions) == 1 then { main = (head values).rev; } else { });
      refs = removeAttrs own (filter (ref: below ref != [ ]) (attrNames own)) // mapAttrs commitOf named;
    in
    folders folder
    + concat (attrValues (mapAttrs (snapshot laned folder) revisions))
    + concat (attrValues (mapAttrs (ref: rev: "ref\t${rev}\t${folder}/refs/${ref}\n") refs));

  alias =
    repositories: folder: values:
    let
      inherit (head values) locked type;
      named = repositories.${folder} or [ ] ++ values;
      target = folderOf type (agreed "repository ${locked.requested}" "repo" named);
    in
    "alias\t${target}\t${folder}\nfolder\t.locks/${folder}\n";
in
/**
  A Hugging Face cache for `HF_HUB_CACHE`, with what its entries need. The official client loads its
  models and datasets offline, by ref and by commit.

  # Inputs

  `models`, `datasets`
  : values that `importLock`, `fetchModel` and `fetchDataset` returned. What those of a lock need is
    added; those of `fetchModel` and `fetchDataset` need nothing.

  # Errors

  Entries that disagree about the commit of a ref, the repository of a requested id, or the content
  of a file at one commit. The message names the entries. `hash` of the shell version.
*/
{
  models ? [ ],
  datasets ? [ ],
  hash ? null,
}:
let
  known =
    value:
    if value ? passthru then
      value
    else
      throw "nix-hug: buildCache takes values that importLock, fetchModel or fetchDataset returned";
  values = map (value: value.passthru // { model = value; }) (
    withNeeded (map known (models ++ datasets))
  );
  repositories = groupBy (value: folderOf value.type value.repo) values;
  laned = inLanes (
    listToAttrs (
      concatMap (
        value:
        map (path: {
          name = placeOf value path;
          value = value.requests.${path};
        }) (attrNames value.requests)
      ) values
    )
  );
  aliases = groupBy (value: folderOf value.type value.locked.requested) (
    filter (value: value.locked.requested or value.repo != value.repo) values
  );
in
if hash != null then
  throw "nix-hug: buildCache: hash is an argument of the shell version; remove it, a cache needs none"
else
  runScript {
    inherit script;
    name = "huggingface-cache";
    inputs.plan =
      concat (attrValues (mapAttrs (repository laned) repositories))
      + concat (attrValues (mapAttrs (alias repositories) aliases));
  }
