let
  inherit (builtins)
    isAttrs
    isPath
    isString
    match
    pathExists
    substring
    typeOf
    ;

  fail = problem: throw "nix-hug: the lock is ${problem}";

  fileAt =
    file:
    if pathExists (file + "/hug.lock.json") then
      fail "a folder; pass the hug.lock.json in it"
    else if match ".*\\.ya?ml" (toString file) != null then
      fail "a YAML file; pass the hug.lock.json that `nix-hug lock` writes"
    else
      file;
in
/**
  The lock that a user passes: the path of a file, or parsed content.

  # Inputs

  `lock`
  : a path, a flake input that is a file, or the content of a `hug.lock.json`, by `builtins.fromJSON`

  # Errors

  A folder with a lock, a YAML file, a text that is no path, and any other value.
*/
lock:
if isAttrs lock then
  if lock ? outPath then fileAt lock.outPath else lock
else if isPath lock || isString lock && substring 0 1 lock == "/" then
  fileAt lock
else if isString lock then
  fail "a text; pass a path such as ./hug.lock.json, or its content by builtins.fromJSON"
else
  fail "of type ${typeOf lock}; pass a path such as ./hug.lock.json"
