/**
  The store path name of a file: its base name, with `_` for each run of characters that a store
  path name cannot have. `storeNameOf` of `src/lock/names.ts` gives the same names, so that equal
  files share one store path.
*/
path:
let
  inherit (builtins) concatStringsSep isString split stringLength substring;

  inherit (import ./valid.nix) isReserved isStoreName maxStoreName;

  base = baseNameOf path;
  words = map (part: if isString part then part else "_") (split "[^A-Za-z0-9+._?=-]+" base);
  name = concatStringsSep "" words + (if isReserved base then "_" else "");
  surplus = stringLength name - maxStoreName;
  short = if surplus > 0 then substring surplus maxStoreName name else name;
in
if isStoreName base then
  base
else if substring 0 1 short == "." then
  "_${substring 1 maxStoreName short}"
else
  short
