let
  inherit (builtins) all attrNames filter head toJSON;

  inherit (import ../valid.nix) isPath;

  keys = [
    "include"
    "exclude"
    "files"
  ];

  isTexts = values: builtins.isList values && values != [ ] && all builtins.isString values;

  list = paths: builtins.concatStringsSep ", " (map toJSON paths);
in
/**
  Applies the `filters` of `fetchModel`.

  # Inputs

  `fail`
  : `problem: hint:` → an error about the repository

  `filters`
  : null for all files; `files`, a list of exact paths; or `include` and `exclude`, lists of POSIX
    extended regular expressions that match whole paths. They choose among LFS files; exclude wins.

  `files`
  : path → file; LFS files have `lfs`

  # Output

  The selected `files`.
*/
fail: filters: files:
let
  given = if filters == null then { } else filters;
  unknown = attrNames (removeAttrs given keys);
  wrong = filter (key: !isTexts given.${key}) (attrNames given);
  unsafe = filter (path: !isPath path) given.files;
  missing = filter (path: !(files ? ${path})) given.files;

  matchesAny = patterns: path: builtins.any (pattern: builtins.match pattern path != null) patterns;
  isExcluded =
    path:
    files.${path} ? lfs
    && (
      given ? include && !matchesAny given.include path || matchesAny (given.exclude or [ ]) path
    );

  selected =
    if given ? files then
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = files.${name};
        }) given.files
      )
    else
      removeAttrs files (filter isExcluded (attrNames files));
in
if !builtins.isAttrs given then
  fail "filters is not an attribute set" "write { include = [ \"…\" ]; }"
else if unknown != [ ] then
  fail
    "filters has the unknown key ${toJSON (head unknown)}"
    "it takes include and exclude, or files"
else if wrong != [ ] then
  fail
    "filters.${head wrong} is not a list of strings, or is empty"
    "leave it out to take all files"
else if given ? files && given != { inherit (given) files; } then
  fail "filters.files excludes include and exclude" "write one of them"
else if given ? files && unsafe != [ ] then
  fail
    "filters.files: not a path inside a repository: ${list unsafe}"
    "write paths as the Hub shows them"
else if given ? files && missing != [ ] then
  fail "no such file at this commit: ${list missing}" "paths are exact, case counts"
else if selected == { } then
  fail "the filters select no file" "loosen them"
else
  selected
