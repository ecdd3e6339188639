let
  inherit (builtins) isAttrs mapAttrs replaceStrings substring;

  inherit (import ./shape.nix) optional problemIn required;
  inherit (import ./valid.nix) isEndpoint;
  checkEntry = import ./check-entry.nix;

  # The version that the command line writes; every version from 1 on is read.
  version = 2;

  # The first problem outside of the entries, or null.
  problemOf = problemIn {
    lockfileVersion =
      required (found: builtins.isInt found && found >= 1 && found <= version)
        "1 or ${toString version}";
    endpoint = optional isEndpoint "an http or https address";
    models = required isAttrs "an object";
    datasets = required isAttrs "an object";
    needed = optional isAttrs "an object";
  };

  sectionsOf = builtins.intersectAttrs {
    models = null;
    datasets = null;
    needed = null;
  };

  fail = problem: throw "nix-hug: hug.lock.json: ${problem}";

  without = parts: replaceStrings parts (map (_: "") parts);

  # Nix evaluates the context of an error only when there is an error: a valid lock is not searched
  # for conflict markers.
  parse =
    text:
    # Nix 2.8 cuts a string at a NUL character, and newer ones refuse it. After an escaped backslash, the
    # six characters stand for themselves.
    if
      without [ "\\u0000" ] text != text
      && without [ "\\\\" "\\u0000" ] text != without [ "\\\\" ] text
    then
      fail "has a NUL character; restore the lock from version control, or delete it and run `nix-hug lock`"
    else
      builtins.addErrorContext (explainInvalid text) (builtins.fromJSON text);

  explainInvalid =
    text:
    if
      substring 0 8 text == "<<<<<<< " || without [ "\n<<<<<<< " ] text != text
    then
      fail "has conflict markers; run `nix-hug lock` to repair it"
    else
      "while nix-hug reads hug.lock.json";
in
/**
  Reads and checks a lock. Uses builtins alone.

  An entry is checked when it is used, so that a model costs only itself. `builtins.deepSeq` of the
  result checks all entries.

  # Inputs

  `lock`
  : path of a `hug.lock.json`, a flake input that is one, or its parsed content

  # Output

  The parsed content.

  # Errors

  Those of `lock-argument.nix`, conflict markers, a lock of a newer nix-hug, and any violation of the lock's schema, such as a path
  that leaves its folder. The message names the place and what to do.
*/
lock:
let
  given = import ./lock-argument.nix lock;
  content = if isAttrs given then given else parse (builtins.readFile given);
  found = content.lockfileVersion or null;
  problem = problemOf content;
in
if builtins.isInt found && found > version then
  fail "lockfileVersion ${toString found} is newer than this nix-hug, which reads up to ${toString version}; upgrade nix-hug"
else if problem != null then
  fail "${problem}; restore the lock from version control, or delete it and run `nix-hug lock`"
else if found == 1 && content ? needed then
  fail "needed needs lockfileVersion 2; restore the lock from version control, or delete it and run `nix-hug lock`"
else
  content // mapAttrs (section: mapAttrs (checkEntry found section)) (sectionsOf content)
