let
  inherit (builtins) elemAt genList head length match split stringLength substring toJSON;

  inherit (import ../valid.nix) isPath isRef isRepo;

  # Text without query and fragment, which may hold a token; scheme, if any; host with port, if any; path.
  addressPattern = "(([Hh][Tt][Tt][Pp][Ss]?://)?([^/?#]*)([^?#]*)).*";
  # A host that an address without a scheme may begin with: one word may be an organisation.
  plainHost = "[A-Za-z0-9_-]+((\\.[A-Za-z0-9_-]+)+(:[0-9]+)?|:[0-9]+)";
  types = {
    models = "model";
    datasets = "dataset";
  };

  join = builtins.concatStringsSep "/";
  segmentsOf = text: builtins.filter builtins.isString (split "/" text);
  take = count: list: genList (elemAt list) (if count < length list then count else length list);
  drop =
    count: list:
    let
      rest = length list - count;
    in
    genList (index: elemAt list (count + index)) (if rest > 0 then rest else 0);

  charactersOf = text: genList (index: substring index 1 text) (stringLength text);
  toLower = builtins.replaceStrings (charactersOf "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    charactersOf "abcdefghijklmnopqrstuvwxyz"
  );

  # The text behind a prefix, or null.
  removePrefix =
    prefix: text:
    let
      size = stringLength prefix;
    in
    if substring 0 size text == prefix then substring size (stringLength text) text else null;

  howToWrite = "write org/name, hf:org/name, hf-datasets:org/name, or an address of a model or dataset on the Hub";
  fail = what: why: throw "nix-hug: ${what} is not a repository: ${why}; ${howToWrite}";
  unsupported = what: throw "nix-hug: ${what} not supported; ${howToWrite}";

  checkId =
    form: id:
    if isRepo id then
      id
    else if isQuant id then
      unsupported "quants (org/name:QUANT) are"
    else
      fail (toJSON form) "write org/name or its address on the Hub";
  isQuant =
    id:
    let
      found = match "([^:]*):[A-Za-z0-9_.-]+" id;
    in
    found != null && isRepo (head found);

  splitAddress =
    form:
    let
      found = match addressPattern form;
    in
    if found == null then
      null
    else
      {
        text = head found;
        hasScheme = elemAt found 1 != null;
        host = toLower (elemAt found 2);
        path = elemAt found 3;
      };
  isHubWithoutScheme =
    hub:
    { host, path, ... }:
    path != ""
    && match plainHost host != null
    && (isHubHost host || hub != null && hub.host == host);
  isHubHost = host: match "huggingface\\.co|hf\\.co" host != null;

  # Removes a leading `models/` or `datasets/`.
  splitType =
    segments:
    if length segments > 1 && head segments == "spaces" then
      unsupported "spaces are"
    else if length segments > 1 && types ? ${head segments} then
      {
        type = types.${head segments};
        rest = drop 1 segments;
      }
    else
      { rest = segments; };

  # The path of an address below its Hub.
  pathOnHub =
    hub:
    { text, host, path, ... }:
    let
      isOwn = hub != null && hub.host == host;
      base = if isOwn then "${head (match "((.*[^/])?)/*" hub.path)}/" else "/";
      below = removePrefix base path;
    in
    if match ".*@.*" host != null then
      fail "an address with a user name or password" "a token belongs into netrc-file"
    else if !isOwn && !isHubHost host then
      fail (toJSON text) "${toJSON host} is not the Hub"
    else if below == null then
      path
    else
      below;

  parsePath =
    form: path:
    let
      split = splitType (withoutEmpty path);
      inherit (split) rest;
      type = split.type or "model";
      isFilePage = page: match "blob|resolve|raw" page != null;
      isViewer = page: type == "dataset" && page == "viewer";
      isPage = page: isFilePage page || match "tree|commits?" page != null || isViewer page;
      isPageAt = at: length rest >= 3 && isPage (elemAt rest at);
      pageAt = if isPageAt 2 then 2 else if isPageAt 1 then 1 else null;
      page = elemAt rest pageAt;
      behind = splitRef (drop (pageAt + 1) rest);
      id = join (take pageAt rest);
      whole = join rest;
      withoutGit = match "(.*)\\.git" whole;
    in
    if match "[^%]*" path == null then
      fail (toJSON form) "percent-encoding is not read here"
    else if pageAt == null then
      checked form type (if withoutGit == null then whole else head withoutGit) { }
    else if isViewer page then
      checked form type id { }
    else if isFilePage page then
      checked form type id behind
    else if behind.file == "" then
      checked form type id { inherit (behind) ref; }
    else
      fail (toJSON form) (if page == "tree" then "it names a folder" else "it names a file");

  # `org/name[@rev][/file]`, as the file system of huggingface_hub reads it: paths are not encoded.
  parseFilePath =
    form: path:
    let
      split = splitType (withoutEmpty path);
      inherit (split) rest;
      nameAt = if rest != [ ] && match ".*@.*" (head rest) != null then 0 else 1;
      below = drop (nameAt + 1) rest;
      start = match "([^@]*)(@(.*))?" (join (take (nameAt + 1) rest));
      rev = elemAt start 2;
      behind = splitRef ([ rev ] ++ below);
      at =
        if rev == null then
          if below == [ ] then { } else { file = join below; }
        else if match "[^%]*" behind.ref == null then
          fail (toJSON form) "percent-encoding is not read here"
        else if behind.file == "" then
          { inherit (behind) ref; }
        else
          behind;
    in
    checked form (split.type or "model") (head start) at;

  withoutEmpty = path: builtins.filter (segment: segment != "") (segmentsOf path);

  # A ref is one segment, or three for `refs/pr/N`; a file follows.
  splitRef =
    segments:
    let
      count = if segments != [ ] && head segments == "refs" then 3 else 1;
    in
    {
      ref = join (take count segments);
      file = join (drop count segments);
    };

  checked =
    form: type: id: at:
    if at ? ref && !isRef at.ref then
      fail (toJSON form) "its revision is not a branch, tag or commit"
    else if at ? file && !isPath at.file then
      fail (toJSON form) "its file is not a path inside a repository"
    else
      at
      // {
        inherit type;
        id = checkId form id;
      };
in
/**
  Reads a repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
  `datasets/org/name`, a canonical `gpt2`, `hf://org/name@rev/file`, or an address on the Hub, with or
  without its scheme. `parseRepoForm` of `src/repo.ts` reads the same forms, and percent-encoded ones
  too.

  # Inputs

  `endpoint`
  : an address that counts as the Hub beside huggingface.co and hf.co, or null

  `form`
  : what the user wrote

  # Output

  `id`, and where the form has them `type` (`model` or `dataset`), `ref` and `file`.
*/
endpoint: form:
let
  hub = if endpoint == null then null else splitAddress endpoint;
  address = splitAddress form;
  filePath = removePrefix "hf://" form;
  split = splitType (segmentsOf form);
  model = removePrefix "hf:" form;
  dataset = removePrefix "hf-datasets:" form;
in
if !builtins.isString form then
  throw "nix-hug: a repository is a string"
else if match "(git[+@:]|ssh:).*" form != null then
  unsupported "addresses of git are"
else if filePath != null then
  parseFilePath form filePath
else if address != null && (address.hasScheme || isHubWithoutScheme hub address) then
  parsePath address.text (pathOnHub hub address)
else if model != null then
  {
    type = "model";
    id = checkId form model;
  }
else if dataset != null then
  {
    type = "dataset";
    id = checkId form dataset;
  }
else
  removeAttrs split [ "rest" ] // { id = checkId form (join split.rest); }
