/**
  The name a file gets in the store: its base name, with every run of characters that a store path
  cannot have as one `_`. The rule of the CLI, `src/lock/store-name.ts`, so that equal files have one
  store path.
*/
path:
let
  inherit (builtins)
    baseNameOf
    concatStringsSep
    isString
    match
    split
    stringLength
    substring
    ;

  inherit (import ./valid.nix) isStoreName longestStoreName;

  base = baseNameOf path;
  words = map (part: if isString part then part else "_") (split "[^A-Za-z0-9+._?=-]+" base);
  # A derivation must not be called so.
  isReserved = match ".*\\.drv" base != null;
  name = concatStringsSep "" words + (if isReserved then "_" else "");
  surplus = stringLength name - longestStoreName;
  short = if surplus > 0 then substring surplus longestStoreName name else name;
in
if isStoreName base && !isReserved then
  base
else if substring 0 1 short == "." then
  "_${substring 1 longestStoreName short}"
else
  short
