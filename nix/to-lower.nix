/**
  A text with its ASCII letters in lower case.
*/
let
  lettersOf = alphabet: builtins.genList (index: builtins.substring index 1 alphabet) 26;
in
builtins.replaceStrings (lettersOf "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
  lettersOf "abcdefghijklmnopqrstuvwxyz"
)
