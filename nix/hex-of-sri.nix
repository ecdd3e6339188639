let
  inherit (builtins) genList substring;

  alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  valueOf = builtins.listToAttrs (
    genList (value: {
      name = substring value 1 alphabet;
      inherit value;
    }) 64
  );
  digit = value: substring (value - value / 16 * 16) 1 "0123456789abcdef";
in
/**
  A SHA-256 in SRI form as 64 hex digits, as `builtins.convertHash` of Nix 2.19 and later gives it.
*/
sri:
let
  # Two digits of base64 make three of hex. "A" completes the last group.
  base64 = "${substring 7 43 sri}A";
  valueAt = index: valueOf.${substring index 1 base64};
  group =
    index:
    let
      value = valueAt (2 * index) * 64 + valueAt (2 * index + 1);
    in
    digit (value / 256) + digit (value / 16) + digit value;
in
substring 0 64 (builtins.concatStringsSep "" (genList group 22))
