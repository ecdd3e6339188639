let
  inherit (builtins)
    attrNames
    concatStringsSep
    elemAt
    filter
    fromJSON
    genList
    head
    isString
    listToAttrs
    match
    replaceStrings
    split
    substring
    ;

  digits = "0123456789ABCDEF";
  hexOf = byte: substring (byte / 16) 1 digits + substring (byte - byte / 16 * 16) 1 digits;
  range = first: last: genList (index: first + index) (last - first + 1);

  # The character of a code point below 65536. JSON can name it, Nix cannot.
  character =
    code:
    let
      high = code / 256;
    in
    fromJSON ''"\u${hexOf high}${hexOf (code - high * 256)}"'';

  # Nor can Nix write a byte above 127, but it can cut one out of a character (RFC 3629, section 3).
  byteOf =
    byte:
    if byte < 128 then
      character byte
    else if byte < 192 then
      substring 1 1 (character byte)
    else if byte < 224 then
      substring 0 1 (character ((byte - 192) * 64))
    else if byte == 224 then
      substring 0 1 (character 2048)
    else if byte < 240 then
      substring 0 1 (character ((byte - 224) * 4096))
    else
      substring 0 1 (elemAt charactersOf4 (byte - 240));
  charactersOf4 = map (high: fromJSON ''"\u${high}\uDC00"'') [
    "D800"
    "D8C0"
    "D9C0"
    "DAC0"
    "DBC0"
  ];

  # Every byte of UTF-8 but NUL, which no string of Nix holds: two hex digits → byte.
  bytes = listToAttrs (
    map
      (byte: {
        name = hexOf byte;
        value = byteOf byte;
      })
      (range 1 191 ++ range 194 244)
  );

  reserved = filter (hex: match "[A-Za-z0-9_.~/-]" bytes.${hex} == null) (attrNames bytes);

  escapes =
    let
      x = "[0-9A-Fa-f]";
      next = "%[89ABab]${x}";
    in
    concatStringsSep "|" [
      "%(0[1-9A-Fa-f]|[1-7]${x})"
      "%([Cc][2-9A-Fa-f]|[Dd]${x})${next}"
      "%([Ee]0%[ABab]|[Ee][1-9A-CEFa-cef]%[89ABab]|[Ee][Dd]%[89])${x}${next}"
      "%([Ff]0%[9ABab]|[Ff][1-3]%[89ABab]|[Ff]4%8)${x}${next}${next}"
    ];

  upperCase = replaceStrings [ "a" "b" "c" "d" "e" "f" ] [ "A" "B" "C" "D" "E" "F" ];
in
{
  /**
    Percent-encodes a path of the Hub: every byte but `/` and the unreserved characters of RFC 3986.
  */
  encode = replaceStrings (map (hex: bytes.${hex}) reserved) (map (hex: "%${hex}") reserved);

  /**
    Undoes percent-encoding. Null when it is broken, or what it stands for is not UTF-8 or has a NUL.
  */
  decode =
    text:
    if match "([^%]|${escapes})*" text == null then
      null
    else
      concatStringsSep "" (
        map (part: if isString part then part else bytes.${upperCase (head part)}) (
          split "%([0-9A-Fa-f]{2})" text
        )
      );
}
