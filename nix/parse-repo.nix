let
  inherit (builtins)
    concatStringsSep
    elem
    elemAt
    filter
    genList
    head
    isString
    length
    match
    replaceStrings
    split
    stringLength
    substring
    toJSON
    ;

  inherit (import ./valid.nix) isPath isRef isRepo;
  inherit (import ./percent.nix) decode;

  # An address: host (with port, if any) and path; a query or a fragment does not matter.
  addressPattern = "([Hh][Tt][Tt][Pp][Ss]?://([^/?#]*)([^?#]*)).*";
  hosts = [
    "huggingface.co"
    "hf.co"
  ];
  types = {
    models = "model";
    datasets = "dataset";
  };
  verbs = [
    "tree"
    "blob"
    "resolve"
  ];

  letters = genList (index: substring index 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") 26;
  smallLetters = genList (index: substring index 1 "abcdefghijklmnopqrstuvwxyz") 26;
  lowerCase = replaceStrings letters smallLetters;

  drop = count: list: genList (index: elemAt list (count + index)) (max0 (length list - count));
  take = count: list: genList (elemAt list) (if count < length list then count else length list);
  max0 = number: if number > 0 then number else 0;
  join = concatStringsSep "/";
  segmentsOf = text: filter isString (split "/" text);
  withoutPrefix =
    prefix: text:
    let
      size = stringLength prefix;
    in
    if substring 0 size text == prefix then substring size (stringLength text) text else null;

  fail =
    what: why:
    throw "nix-hug: ${what} is not a repository: ${why}; write org/name, hf:org/name, hf-datasets:org/name, or an address on the Hub";

  checkedId =
    form: id: if isRepo id then id else fail (toJSON form) "write org/name or its address on the Hub";

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
        host = lowerCase (elemAt found 1);
        path = elemAt found 2;
      };

  # Takes a leading `models/` or `datasets/` off.
  splitType =
    segments:
    if length segments > 1 && types ? ${head segments} then
      {
        type = types.${head segments};
        rest = drop 1 segments;
      }
    else
      { rest = segments; };

  # The path below the Hub that the address is on.
  pathOnHub =
    endpoint:
    { text, host, path }:
    let
      hub = if endpoint == null then null else splitAddress endpoint;
      isOwn = hub != null && hub.host == host;
      base = if isOwn then "${head (match "((.*[^/])?)/*" hub.path)}/" else "/";
    in
    if match ".*@.*" host != null then
      fail "an address with a user name or password" "a token belongs into netrc-file"
    else if !isOwn && !elem host hosts then
      fail (toJSON text) "${toJSON host} is not the Hub"
    else if withoutPrefix base path == null then
      path
    else
      withoutPrefix base path;

  decoded =
    form: segment:
    let
      text = decode segment;
    in
    if text == null then fail (toJSON form) "its percent-encoding is broken" else text;

  parsePath =
    form: path:
    let
      segments = map (decoded form) (filter (segment: segment != "") (segmentsOf path));
      split = splitType segments;
      inherit (split) rest;
      isVerb = at: length rest >= 3 && elem (elemAt rest at) verbs;
      verbAt = if isVerb 2 then 2 else if isVerb 1 then 1 else null;
      named = drop (verbAt + 1) rest;
      refLength = if named != [ ] && head named == "refs" then 3 else 1;
      ref = join (take refLength named);
      file = join (drop refLength named);
      repo = {
        type = split.type or "model";
        id = checkedId form (join (if verbAt == null then rest else take verbAt rest));
      };
    in
    if verbAt == null then
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
  Reads any repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
  `datasets/org/name`, a canonical `gpt2`, or an address on the Hub. The rules are those of the CLI,
  `src/repo.ts`; one table of cases holds for both.

  # Inputs

  `endpoint`
  : an address that counts as the Hub beside huggingface.co and hf.co, or null

  `form`
  : what the user wrote

  # Output

  `id`, and what else the form says: `type` (`model` or `dataset`), `ref`, `file`.
*/
endpoint: form:
let
  address = splitAddress form;
  split = splitType (segmentsOf form);
  model = withoutPrefix "hf:" form;
  dataset = withoutPrefix "hf-datasets:" form;
in
if !isString form then
  throw "nix-hug: a repository is a string"
else if address != null then
  parsePath address.text (pathOnHub endpoint address)
else if model != null then
  {
    type = "model";
    id = checkedId form model;
  }
else if dataset != null then
  {
    type = "dataset";
    id = checkedId form dataset;
  }
else
  removeAttrs split [ "rest" ] // { id = checkedId form (join split.rest); }
