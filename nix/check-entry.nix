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

  fieldProblem = problemIn {
    repo = required isRepo "a repository id";
    requested = optional isRepo "a repository id";
    version = optional isText "a text without control characters";
    ref = required (ref: isPath ref && isText ref) "a branch, tag or commit";
    rev = required (matches gitId) "a commit of 40 hex digits";
    select = optional (select: selectProblem select == null) "a selection of files";
    files = required builtins.isAttrs "an object";
  };

  selectProblem = problemIn {
    include = optional (isListOf isText) "a list of patterns";
    exclude = optional (isListOf isText) "a list of patterns";
    files = optional (isListOf isPath) "a list of paths";
  };

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
    name: entry:
    if !matches "[A-Za-z_][A-Za-z0-9_-]*" name then
      "is not an entry name"
    else if fieldProblem entry != null then
      fieldProblem entry
    else
      filesProblem entry.files;
in
/**
  Checks one entry of a lock.

  # Inputs

  `section`, `name`
  : `models` or `datasets`, and the name of the entry

  `entry`
  : its value in the lock, returned unchanged

  # Errors

  The first problem of the entry, with its place in the lock.
*/
section: name: entry:
let
  problem = entryProblem name entry;
in
if problem == null then
  entry
else
  throw "nix-hug: hug.lock.json: ${section}.${name}: ${problem}; restore the lock from version control, or delete it and run `nix-hug lock`"
