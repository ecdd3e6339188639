/**
  What counts as a repository id, a path, a ref, a name of a store path and an address: for locks, for
  trees of the Hub and for what users write. All are functions from any value to a boolean, apart from
  the patterns `gitId` and `sri`, and the number `longestStoreName`.
*/
let
  inherit (builtins)
    all
    dirOf
    isList
    isString
    match
    split
    stringLength
    substring
    ;

  # Words with dots and dashes in turn between them.
  repoPart = ''[A-Za-z0-9_]+((-(\.-)*\.?|\.(-\.)*-?)[A-Za-z0-9_]+)*'';
  # Never empty, "." or "..", and without control characters and backslashes.
  segment = ''(\.?\.?[^./[:cntrl:]\\]|\.\.\.)[^/[:cntrl:]\\]*'';
  storeName = "[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]*";
  # What git forbids beyond what a path forbids, see `git help check-ref-format`.
  badRef = ''.*[ ~^:?*[].*|.*(\.\.|@\{).*|@|.*\.|(.*/)?\..*|.*\.lock(/.*)?'';
  upperCaseCommit = "[0-9A-Fa-f]{40}";

  # Of the address of a Hub: a host, with a port, if any; and a path of the characters of RFC 3986.
  host = ''([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+])(:[0-9]{1,5})?'';
  endpointPath = "/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*";

  isShort = limit: text: stringLength text <= limit;

  everySegment = accept: path: all (part: isList part || accept part) (split "/" path);
in
rec {
  gitId = "[0-9a-f]{40}";
  sri = "sha256-[A-Za-z0-9+/]{43}=";

  matches = pattern: value: isString value && match pattern value != null;

  isRepo =
    id:
    matches "(${repoPart}/)?${repoPart}" id
    && (isShort 96 id || everySegment (isShort 96) id)
    && match ".*\\.git" id == null;

  # Whether a path stays below its folder and can be made there on every system.
  isPath =
    path:
    isString path
    && everySegment (part: isShort 255 part && match segment part != null) path
    && match "[A-Za-z]:" (substring 0 2 path) == null;

  # Whether a path lies below another one of `files`, which no git tree has.
  isBelowFile =
    files: path:
    let
      folder = dirOf path;
    in
    folder != "." && (files ? ${folder} || isBelowFile files folder);

  isRef =
    ref:
    isPath ref
    && match badRef ref == null
    && (match upperCaseCommit ref == null || match gitId ref != null);

  # A store path name has at most 211 characters, four of which belong to the `.drv` of the file's
  # derivation.
  longestStoreName = 207;

  isStoreName = name: matches storeName name && isShort longestStoreName name;

  isUrl =
    url:
    matches "[A-Za-z0-9/._~%-]+" url
    && everySegment (part: part != "" && part != "." && part != "..") url;

  # `ENDPOINT` of the CLI, `src/repo.ts`.
  isEndpoint = matches "https?://${host}(${endpointPath})?";

  isPlainUrl = path: match "[A-Za-z0-9/._~-]+" path != null;
}
