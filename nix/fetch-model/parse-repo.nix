let
  inherit (builtins) elemAt genList head length match split stringLength substring toJSON;

  inherit (import ../valid.nix) isPath isRef isRepo;

  # Text without query and fragment, which may hold a token; host with port, if any; path.
  addressPattern = "([Hh][Tt][Tt][Pp][Ss]?://([^/?#]*)([^?#]*)).*";
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

  fail =
    what: why:
    throw "nix-hug: ${what} is not a repository: ${why}; write org/name, hf:org/name, hf-datasets:org/name, or an address on the Hub";

  checkId =
    form: id:
    if isRepo id then id else fail (toJSON form) "write org/name or its address on the Hub";

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
        host = toLower (elemAt found 1);
        path = elemAt found 2;
      };

  # Removes a leading `models/` or `datasets/`.
  splitType =
    segments:
    if length segments > 1 && types ? ${head segments} then
      {
        type = types.${head segments};
        rest = drop 1 segments;
      }
    else
      { rest = segments; };

  # The path of an address below its Hub.
  pathOnHub =
    endpoint:
    { text, host, path }:
    let
      hub = if endpoint == null then null else splitAddress endpoint;
      isOwn = hub != null && hub.host == host;
      base = if isOwn then "${head (match "((.*[^/])?)/*" hub.path)}/" else "/";
      below = removePrefix base path;
    in
    if match ".*@.*" host != null then
      fail "an address with a user name or password" "a token belongs into netrc-file"
    else if !isOwn && match "huggingface\\.co|hf\\.co" host == null then
      fail (toJSON text) "${toJSON host} is not the Hub"
    else if below == null then
      path
    else
      below;

  parsePath =
    form: path:
    let
      split = splitType (builtins.filter (segment: segment != "") (segmentsOf path));
      inherit (split) rest;
      isVerb = at: length rest >= 3 && match "tree|blob|resolve" (elemAt rest at) != null;
      verbAt = if isVerb 2 then 2 else if isVerb 1 then 1 else null;
      behind = drop (verbAt + 1) rest;
      refLength = if behind != [ ] && head behind == "refs" then 3 else 1;
      ref = join (take refLength behind);
      file = join (drop refLength behind);
      repo = {
        type = split.type or "model";
        id = checkId form (join (if verbAt == null then rest else take verbAt rest));
      };
    in
    if match "[^%]*" path == null then
      fail (toJSON form) "percent-encoding is not read here"
    else if verbAt == null then
      repo
    else if !isRef ref then
      fail (toJSON form) "its revision is not a branch, tag or commit"
    else if elemAt rest verbAt == "tree" then
      if file == "" then repo // { inherit ref; } else fail (toJSON form) "it names a folder"
    else if isPath file then
      repo // { inherit file ref; }
    else
      fail (toJSON form) "its file is not a path inside a repository";
in
/**
  Reads a repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
  `datasets/org/name`, a canonical `gpt2`, or an address on the Hub. `parseRepoForm` of
  `src/repo.ts` reads the same forms, and percent-encoded ones too.

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
  address = splitAddress form;
  split = splitType (segmentsOf form);
  model = removePrefix "hf:" form;
  dataset = removePrefix "hf-datasets:" form;
in
if !builtins.isString form then
  throw "nix-hug: a repository is a string"
else if address != null then
  parsePath address.text (pathOnHub endpoint address)
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
