let
  inherit (builtins)
    all
    any
    attrNames
    concatStringsSep
    filter
    head
    isAttrs
    isList
    isString
    listToAttrs
    match
    toJSON
    ;

  inherit (import ./valid.nix) isPath;

  keys = [
    "include"
    "exclude"
    "files"
  ];

  keep = accept: files: removeAttrs files (filter (path: !accept path) (attrNames files));

  isText = values: isList values && values != [ ] && all isString values;

  shown = paths: concatStringsSep ", " (map toJSON paths);
in
/**
  Applies the `filters` of `fetchModel`.

  # Inputs

  `fail`
  : throws an error about the repository

  `filters`
  : null for all files; `files`, a list of exact paths; or `include` and `exclude`, lists of POSIX
    extended regular expressions that match whole paths. Those choose among LFS files; exclude wins.

  `files`
  : path → file, with `lfs` on LFS files

  # Output

  Those of `files` that are selected.
*/
fail: filters: files:
let
  given = if filters == null then { } else filters;
  unknown = attrNames (removeAttrs given keys);
  texts = filter (key: !isText given.${key}) (attrNames given);
  unsafe = filter (path: !isPath path) given.files;
  missing = filter (path: !(files ? ${path})) given.files;

  matchesOne = patterns: path: any (pattern: match pattern path != null) patterns;
  isKept =
    path:
    !(files.${path} ? lfs)
    || (!(given ? include) || matchesOne given.include path)
      && !(given ? exclude && matchesOne given.exclude path);

  selected =
    if given ? files then
      listToAttrs (
        map (name: {
          inherit name;
          value = files.${name};
        }) given.files
      )
    else
      keep isKept files;
in
if !isAttrs given then
  fail "filters is not an attribute set" "write { include = [ \"…\" ]; }"
else if unknown != [ ] then
  fail "filters has the unknown key ${toJSON (head unknown)}" "it takes include and exclude, or files"
else if texts != [ ] then
  fail
    "filters.${head texts} is not a list of strings, or is empty"
    "leave it out to keep all files"
else if given ? files && given != { inherit (given) files; } then
  fail "filters.files excludes include and exclude" "keep one of them"
else if given ? files && unsafe != [ ] then
  fail
    "filters.files has what is no path inside a repository: ${shown unsafe}"
    "write paths as the Hub shows them"
else if given ? files && missing != [ ] then
  fail "no such file at this commit: ${shown missing}" "names are exact, case counts"
else if selected == { } then
  fail "the filters leave no file" "loosen them"
else
  selected
