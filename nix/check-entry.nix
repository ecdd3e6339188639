let
  inherit (builtins) all attrNames head;

  inherit (import ./shape.nix) optional problemIn required;
  inherit (import ./valid.nix)
    gitId
    isBelowFile
    isPath
    isPlainPath
    isRepo
    isStoreName
    isText
    isUrl
    matches
    sri
    ;

  isListOf = accepts: values: builtins.isList values && values != [ ] && all accepts values;

  # The largest integer that JavaScript holds exactly, 2^53 - 1.
  maxSize = 9007199254740991;

  # Each function below returns the first problem as text, or null.

  fields = {
    repo = required isRepo "a repository id";
    requested = optional isRepo "a repository id";
    version = optional isText "a text without control characters";
    ref = required isRefText "a branch, tag or commit";
    rev = required (matches gitId) "a commit of 40 hex digits";
    select = optional (isSelect selection) "a selection of files";
    files = required builtins.isAttrs "an object";
  };

  selection = {
    include = optional (isListOf isText) "a list of patterns";
    exclude = optional (isListOf isText) "a list of patterns";
    files = optional (isListOf isPath) "a list of paths";
  };

  isSelect = shape: select: problemIn shape select == null;

  # The fields of an entry by the version of the lock.
  fieldProblem =
    version:
    problemIn (
      if version == 1 then
        fields
      else
        fields
        // {
          repoId = optional (matches "[0-9a-f]{24}") "a repository id of 24 hex digits";
          date = optional (matches date) "a date and time in UTC";
          license = optional (isListOf isWord) "a list of licences";
          licenseName = optional isWord "the name of a licence";
          groups = optional (isListOf (matches entryName)) "a list of groups";
          select = optional (isSelect (
            selection
            // {
              format = optional isFormat "a format";
              variant = optional (matches tag) "a part of a file name";
              quant = optional (matches tag) "a part of a file name";
              code = optional (code: code == false) "false";
            }
          )) "a selection of files";
          needs = optional (isListOf isNeed) "a list of repositories, each with the file that names it";
        }
    );

  entryName = "[A-Za-z_][A-Za-z0-9_-]*";
  date = ''[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z'';
  # Part of a file name, as `fp16` and `Q4_K_M`.
  tag = "[A-Za-z0-9_.-]{1,32}";

  isRefText = ref: isPath ref && isText ref;
  isWord = text: isText text && text != "";

  isFormat =
    format:
    builtins.elem format [
      "safetensors"
      "pytorch"
      "gguf"
      "onnx"
      "tensorflow"
      "flax"
      "openvino"
    ];

  isNeed =
    need:
    problemIn {
      repo = required isRepo "a repository id";
      ref = required isRefText "a branch, tag or commit";
      by = required isPath "a path";
    } need == null;

  # `storeName` and `url` may differ from what the path gives. They decide where a file is downloaded
  # from and what it is called in the store, never which bytes are accepted.
  valuesProblem = problemIn {
    size = required (size: builtins.isInt size && size >= 0 && size <= maxSize) "a number of bytes";
    hash = required (matches sri) "a SHA-256 in SRI form";
    oid = required (matches gitId) "a git id of 40 hex digits";
    lfs = optional (lfs: lfs == true) "true";
    storeName = optional isStoreName "a store path name";
    url = optional isUrl "a percent-encoded path";
  };

  pathProblem =
    files: path:
    if isPlainPath path then
      belowFileProblem files path
    else if !isPath path then
      "is not a path inside the repository"
    else if !(files.${path} ? storeName || isStoreName (baseNameOf path)) then
      "needs a storeName"
    else if !(files.${path} ? url || isUrl path) then
      "needs a url"
    else
      belowFileProblem files path;

  belowFileProblem =
    files: path: if isBelowFile files path then "lies below a path that is a file" else null;

  filesProblem =
    files:
    let
      problemOf =
        path: file:
        if valuesProblem file == null then pathProblem files path else valuesProblem file;
      problems = builtins.mapAttrs problemOf files;
      bad = builtins.filter (path: problems.${path} != null) (attrNames files);
    in
    # Nix 2.8 cuts a key at a NUL character, and then finds no file under the name that is left.
    if removeAttrs files (attrNames files) != { } then
      "files has a path with a NUL character"
    else if bad == [ ] then
      null
    else
      "files.${builtins.toJSON (head bad)}: ${problems.${head bad}}";

  entryProblem =
    problemOfFields: section: name: entry:
    let
      fields = problemOfFields entry;
      # What the key of a needed entry names: the id as asked, and the ref.
      asked = "${entry.requested or entry.repo}@${entry.ref}";
    in
    if section != "needed" && !matches entryName name then
      "is not an entry name"
    else if fields != null then
      fields
    else if section == "needed" && name != "models/${asked}" && name != "datasets/${asked}" then
      "is not models/${asked}"
    else
      filesProblem entry.files;
in
/**
  Checks one entry of a lock.

  # Inputs

  `version`
  : of the lock, one that this nix-hug reads

  `section`, `name`
  : `models`, `datasets` or `needed`, and the name of the entry

  `entry`
  : its value in the lock, returned unchanged

  # Errors

  The first problem of the entry, with its place in the lock.
*/
version:
let
  problemOf = entryProblem (fieldProblem version);
in
section: name: entry:
let
  problem = problemOf section name entry;
in
if problem == null then
  entry
else
  throw "nix-hug: hug.lock.json: ${section}.${name}: ${problem}; restore the lock from version control, or delete it and run `nix-hug lock`"
