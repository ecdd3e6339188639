/**
  What counts as a commit, a repository id, a path, a ref, a store path name and a URL, for a lock,
  for a Hub's tree and for the arguments of `fetchModel`. The CLI has the same rules in
  `src/repo.ts`, `src/safe-path.ts` and `src/lock/`.

  `gitId` and `sri` are patterns for `matches`. `isText`, `isRepo`, `isPath`, `isRef`, `isStoreName`,
  `isUrl` and `isEndpoint` take any value.
*/
let
  inherit (builtins)
    all
    concatMap
    fromJSON
    genList
    isList
    isString
    match
    replaceStrings
    split
    stringLength
    substring
    ;

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
  host = ''([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+])(:${port})?'';
  # 0 to 65535.
  port = "([0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
  endpointPath = "/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*";

  # A store path name has at most 211 characters. Nix adds the four of `.drv` to the name of a
  # derivation, and refuses a name that already ends so.
  maxStoreName = 207;

  # Limits for a path (`PATH_MAX` of Linux) and for other texts, in bytes. `match` recurses, and a very
  # long text exhausts its stack.
  maxPath = 4096;
  maxText = 2048;

  # U+0001 to U+001F, DEL, and the C1 controls U+0080 to U+009F. Nix has no literals for them.
  controls = map (code: fromJSON "\"\\u00${code}\"") (
    [ "7F" ]
    ++ map (digit: "0${digit}") (builtins.tail hexDigits)
    ++ concatMap (row: map (digit: row + digit) hexDigits) [
      "1"
      "8"
      "9"
    ]
  );
  noControls = map (_: "") controls;
  hexDigits = genList (digit: substring digit 1 "0123456789ABCDEF") 16;

  isShort = limit: text: stringLength text <= limit;

  everySegment = accept: path: all (part: isList part || accept part) (split "/" path);
in
rec {
  gitId = "[0-9a-f]{40}";
  sri = "sha256-[A-Za-z0-9+/]{43}=";
  inherit maxStoreName;

  matches =
    pattern: value: isString value && stringLength value <= maxText && match pattern value != null;

  isRepo =
    id:
    matches "(${repoPart}/)?${repoPart}" id
    && (isShort 96 id || everySegment (isShort 96) id)
    && match ".*\\.git" id == null;

  # A text without control characters.
  isText = text: isString text && replaceStrings controls noControls text == text;

  # A path that stays below its folder, and that every file system can hold.
  isPath =
    path:
    isString path
    && isShort maxPath path
    && everySegment (part: isShort 255 part && match segment part != null) path
    && match "[A-Za-z]:" (substring 0 2 path) == null;

  # Holds for nearly all paths, in one match in place of ten. Such a path satisfies `isPath` and
  # `isUrl`, and its base name `isStoreName`.
  isPlainPath =
    path: stringLength path <= maxStoreName && match plainPath path != null && !isReserved path;

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
    && isText ref
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
    && everySegment (
      # Three characters for each byte of a path.
      part: isShort 765 part && part != "." && part != ".." && match urlSegment part != null
    ) url;

  isEndpoint = matches "https?://${host}(${endpointPath})?";
}
