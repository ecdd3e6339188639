let
  inherit (builtins)
    attrNames
    baseNameOf
    elemAt
    filter
    genList
    head
    match
    substring
    ;

  lettersOf = alphabet: genList (index: substring index 1 alphabet) 26;
  toLower = builtins.replaceStrings (lettersOf "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    lettersOf "abcdefghijklmnopqrstuvwxyz"
  );

  matches = pattern: text: match pattern text != null;
  isGguf = matches ".*\\.gguf";
  isProjector = matches ".*mmproj.*";
  isNoModel = matches ".*(mmproj|imatrix|mtp-|eagle3-|dflash-|dspark-).*";

  isLaterPart =
    path:
    let
      # Numbers from 1; a file of one part is whole, whatever its number.
      part = match ".*-([0-9]{5})-of-([0-9]{5})\\.gguf" path;
    in
    part != null && elemAt part 1 > "00001" && elemAt part 0 != "00001";

  first = values: if values == [ ] then null else head values;
in
/**
  The files of an entry with a `quant` that `llama-server` opens. The lock has those that llama.cpp takes,
  and GGUF files that are plain git files, which a selection never leaves out.

  # Inputs

  `locked`
  : the entry, whose `select` has a `quant`

  # Output

  `gguf`
  : path of the model, or of its first part; null when there is none

  `mmproj`
  : path of the projector for images; null when there is none
*/
locked:
let
  quant = toLower locked.select.quant;
  paths = filter isGguf (attrNames locked.files);
  isModel =
    path:
    !isNoModel (baseNameOf path)
    && !isLaterPart path
    && matches ".*${quant}[.-].*" (toLower path);
  projectors = filter isProjector paths;
  isLfs = path: locked.files.${path} ? lfs;
in
{
  gguf = first (filter isModel paths);
  mmproj = first (filter isLfs projectors ++ projectors);
}
