let
  inherit (builtins)
    addErrorContext
    hashString
    isPath
    match
    readFile
    stringLength
    toJSON
    ;

  hexOfSri = import ./hex-of-sri.nix;
  weightFormat = import ./weight-format.nix;

  matches = pattern: path: match pattern path != null;
  isText = matches ''(.*/)?(README|LICENSE|NOTICE)[^/]*|.*\.md|(.*/)?\.gitattributes'';
  isImage = matches ''.*\.(png|jpg|jpeg|gif|webp|svg)'';
  isCode = matches ''.*\.py'';
  # Of the LFS files that are no weights.
  isConfig = matches ''.*\.(json|model|spm|tiktoken|txt)|(.*/)?(tokenizer|vocab)[^/]*'';

  # What a file is for, in the words of the specification.
  kindOf =
    type: path: file:
    if isText path || type == "model" && isImage path then
      "doc"
    else if isCode path then
      "code"
    else if type == "dataset" then
      "dataset"
    else if isConfig path then
      "weight.config"
    else if weightFormat path != null || file ? lfs then
      "weight"
    else
      "weight.config";
in
/**
  The files of an entry as layers of an OCI manifest, one each, in the order of their paths.

  # Inputs

  `entry`, `type`, `locked`, `overrides`
  : those of `make-model.nix`

  # Output

  A list of `{ path; kind; digest; size; }`: `kind` is `weight`, `weight.config`, `doc`, `code` or
  `dataset`, `digest` 64 hex digits, and `size` in bytes.

  # Errors

  An override that is not the path of a text file.
*/
{
  entry,
  type,
  locked,
  overrides,
  ...
}:
let
  fail = path: problem: throw "nix-hug: oci: overrides.${entry}.${toJSON path} ${problem}";

  ofLock = file: {
    digest = hexOfSri file.hash;
    inherit (file) size;
  };
  ofUser =
    path: file:
    let
      # Nix evaluates the context of an error only when there is an error.
      text = addErrorContext (fail path "is not a file without NUL characters, and Nix cannot tell the size of another one") (
        readFile file
      );
    in
    if isPath file then
      {
        digest = hashString "sha256" text;
        size = stringLength text;
      }
    else
      fail path "is not a path; the digest of a derivation is not known before it is built";

  layer =
    path: file:
    {
      inherit path;
      kind = kindOf type path file;
    }
    // (if overrides ? ${path} then ofUser path overrides.${path} else ofLock file);
in
builtins.attrValues (builtins.mapAttrs layer (locked.files // builtins.mapAttrs (_: _: { }) overrides))
