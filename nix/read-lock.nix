let
  inherit (builtins)
    addErrorContext
    attrNames
    fromJSON
    head
    isAttrs
    isInt
    mapAttrs
    readFile
    replaceStrings
    substring
    toJSON
    ;

  version = 1;

  inherit (import ./valid.nix) isEndpoint;
  checkEntry = import ./check-entry.nix;

  fail = problem: throw "nix-hug: hug.lock.json: ${problem}";

  # The context of an error is evaluated when there is one, so that only a lock that is no JSON is
  # searched for conflict markers.
  parse = text: addErrorContext (unreadable text) (fromJSON text);

  unreadable =
    text:
    if
      substring 0 8 text == "<<<<<<< " || replaceStrings [ "\n<<<<<<< " ] [ "" ] text != text
    then
      fail "has conflict markers; run `nix-hug lock` to repair it"
    else
      "while nix-hug reads hug.lock.json";

  keys = [
    "lockfileVersion"
    "endpoint"
    "models"
    "datasets"
  ];

  # What is wrong with the lock around its entries, or null.
  problemOf =
    lock:
    if lock.lockfileVersion or null != version then
      "lockfileVersion is not ${toString version}"
    else if lock ? endpoint && !isEndpoint lock.endpoint then
      "endpoint is not an http or https address"
    else if !isAttrs (lock.models or null) then
      "models is not an object"
    else if !isAttrs (lock.datasets or null) then
      "datasets is not an object"
    else if removeAttrs lock keys != { } then
      "unknown key ${toJSON (head (attrNames (removeAttrs lock keys)))}"
    else
      null;
in
/**
  Reads a lock, with builtins alone.

  Each entry is checked when it is used, so that a model costs only itself. `builtins.deepSeq` of the
  result checks all of them.

  # Inputs

  `lock`
  : path of a `hug.lock.json`, or its parsed content

  # Output

  The parsed content.

  # Errors

  Conflict markers, a lock of a newer nix-hug, and everything that is not as the lock's schema says,
  above all paths that could leave their folder. The message says where, and what to do.
*/
lock:
let
  content = if isAttrs lock then lock else parse (readFile lock);
  problem = problemOf content;
in
if isInt (content.lockfileVersion or null) && content.lockfileVersion > version then
  fail "lockfileVersion ${toString content.lockfileVersion} is newer than this nix-hug, which reads ${toString version}; upgrade nix-hug"
else if problem != null then
  fail "${problem}; restore the lock from version control, or delete it and run `nix-hug lock`"
else
  content
  // {
    models = mapAttrs (checkEntry "models") content.models;
    datasets = mapAttrs (checkEntry "datasets") content.datasets;
  }
