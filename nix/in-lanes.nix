{ fetchFile }:
let
  inherit (builtins)
    attrNames
    elemAt
    foldl'
    genList
    length
    listToAttrs
    seq
    ;

  lanes = 16;
  # Fewer files need no lanes, which only cost evaluation.
  fewest = 64;
in
/**
  Derivations of many files, of which Nix finds 16 ready to build at a time. With all of them ready,
  Nix runs out of open files (2.8), or its memory grows with the square of their number (2.34).

  Each file names the one 16 places before it as an input. Its store path stays the same, as that of a
  fixed-output derivation does not depend on inputs. A file that fails stops those after it in its lane.

  # Inputs

  `requests`
  : any name → arguments of `fetchFile`

  # Output

  The same names → derivations; null for fewer than 64 files
*/
requests:
let
  names = attrNames requests;
  count = length names;
  files = genList (
    index:
    fetchFile (
      requests.${elemAt names index}
      // (if index < lanes then { } else { previous = elemAt files (index - lanes); })
    )
  ) count;
  # Evaluating the last file of a lane first would recurse to the first one.
  inOrder = foldl' (_: file: seq file.drvPath null) null files;
in
if count < fewest then
  null
else
  seq inOrder (
    listToAttrs (
      genList (index: {
        name = elemAt names index;
        value = elemAt files index;
      }) count
    )
  )
