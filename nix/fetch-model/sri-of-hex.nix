let
  inherit (builtins) genList substring;

  alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  valueOf = builtins.listToAttrs (
    genList (value: {
      name = substring value 1 "0123456789abcdef";
      inherit value;
    }) 16
  );
in
/**
  A SHA-256 of 64 hex digits in SRI form, as `builtins.convertHash` of Nix 2.19 and later gives it.
*/
hex:
let
  # Three hex digits make two of base64. "00" completes the last group.
  value = index: valueOf.${substring index 1 "${hex}00"};
  group =
    index:
    let
      high = value (3 * index) * 4 + value (3 * index + 1) / 4;
      low = value (3 * index + 1) * 16 + value (3 * index + 2);
    in
    substring high 1 alphabet + substring (low - low / 64 * 64) 1 alphabet;
in
"sha256-${substring 0 43 (builtins.concatStringsSep "" (genList group 22))}="
