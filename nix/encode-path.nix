let
  inherit (builtins) substring;

  toHex =
    number:
    (if number < 16 then "" else toHex (number / 16))
    + substring (number - number / 16 * 16) 1 "0123456789ABCDEF";

  character =
    codePoint:
    let
      hex = "0000000${toHex codePoint}";
    in
    (fromTOML ''x = "\U${substring (builtins.stringLength hex - 8) 8 hex}"'').x;

  # Nix has no literal for a byte above 127, but it can cut one out of a character that has it in
  # UTF-8 (RFC 3629, section 3).
  byteOf =
    number:
    if number < 128 then
      character number
    else if number < 192 then
      substring 1 1 (character number)
    else if number < 224 then
      substring 0 1 (character ((number - 192) * 64))
    else if number < 240 then
      substring 0 1 (character (if number == 224 then 2048 else (number - 224) * 4096))
    else
      substring 0 1 (character (if number == 240 then 65536 else (number - 240) * 262144));

  # Every byte that a path may have and a URL may not: those of UTF-8 without control characters.
  reserved = builtins.filter ({ byte, ... }: builtins.match "[A-Za-z0-9._~/-]" byte == null) (
    map (number: {
      byte = byteOf number;
      escape = "%${toHex number}";
    }) (range 32 126 ++ range 128 191 ++ range 194 244)
  );
  range = first: last: builtins.genList (index: first + index) (last - first + 1);
in
/**
  Percent-encodes a path of the Hub: every byte but `/` and the characters that RFC 3986 leaves
  unreserved, as `encodePath` of `src/address.ts` does.
*/
builtins.replaceStrings (map ({ byte, ... }: byte) reserved) (
  map ({ escape, ... }: escape) reserved
)
