/**
  What counts as a commit, a repository id, a path, a ref, a store path name and a URL, for a lock,
  for a Hub's tree and for the arguments of `fetchModel`. The CLI has the same rules in
  `src/repo.ts`, `src/safe-path.ts` and `src/lock/`.

  `gitId` and `sri` are patterns for `matches`. `isRepo`, `isPath`, `isRef`, `isStoreName`, `isUrl`
  and `isEndpoint` take any value.
*/
let
  inherit (builtins) all isList isString match split stringLength substring;

  # Words, joined by dots and dashes that alternate.
  repoPart = ''[A-Za-z0-9_]+((-(\.-)*\.?|\.(-\.)*-?)[A-Za-z0-9_]+)*'';
  # Not empty, "." or ".."; without control characters and backslashes.
  segment = ''(\.?\.?[^./[:cntrl:]\\]|\.\.\.)[^/[:cntrl:]\\]*'';
  plainPath = "([A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*";
  # What git forbids in a ref beyond what a path forbids, see `git help check-ref-format`.
  badRef = ''.*[ ~^:?*[].*|.*(\.\.|@\{).*|@|.*\.|(.*/)?\..*|.*\.lock(/.*)?'';
  anyCaseGitId = "[0-9A-Fa-f]{40}";
  # The characters that RFC 3986 leaves unreserved; the bytes of any other as "%XX". Without "%2E",
  # which programs read as ".".
  urlSegment = "([A-Za-z0-9._~-]|%([013-9A-F][0-9A-F]|2[0-9A-DF]))+";
  # Host and optional port, then a path of the characters of RFC 3986.
  host = ''([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+])(:[0-9]{1,5})?'';
  endpointPath = "/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*";

  # A store path name has at most 211 characters. Nix adds the four of `.drv` to the name of a
  # derivation, and refuses a name that already ends so.
  maxStoreName = 207;

  isShort = limit: text: stringLength text <= limit;

  everySegment = accept: path: all (part: isList part || accept part) (split "/" path);
in
rec {
  gitId = "[0-9a-f]{40}";
  sri = "sha256-[A-Za-z0-9+/]{43}=";
  inherit maxStoreName;

  matches = pattern: value: isString value && match pattern value != null;

  isRepo =
    id:
    matches "(${repoPart}/)?${repoPart}" id
    && (isShort 96 id || everySegment (isShort 96) id)
    && match ".*\\.git" id == null;

  # A path that stays below its folder, and that every file system can hold.
  isPath =
    path:
    isString path
    && everySegment (part: isShort 255 part && match segment part != null) path
    && match "[A-Za-z]:" (substring 0 2 path) == null;

  # Holds for nearly all paths, in one match in place of ten. Such a path satisfies `isPath` and
  # `isUrl`, and its base name `isStoreName`.
  isPlainPath =
    path: isShort maxStoreName path && match plainPath path != null && !isReserved path;

  # Whether a folder of `path`, for which `isPath` holds, is one of `files`. No git tree has that.
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
    && (match anyCaseGitId ref == null || match gitId ref != null);

  isStoreName =
    name:
    matches "[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]*" name
    && isShort maxStoreName name
    && !isReserved name;

  # Whether a name or path ends in `.drv`.
  isReserved =
    name:
    let
      size = stringLength name;
    in
    size >= 4 && substring (size - 4) 4 name == ".drv";

  # A percent-encoded path.
  isUrl =
    url:
    isString url
    && everySegment (part: part != "." && part != ".." && match urlSegment part != null) url;

  isEndpoint = matches "https?://${host}(${endpointPath})?";
}
