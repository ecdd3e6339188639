{ linkFiles }:
let
  inherit (builtins)
    attrNames
    filter
    head
    toJSON
    ;

  inherit (import ./valid.nix) isBelowFile isPath;
in
/**
  A folder of links, for programs with a layout of their own, such as ComfyUI.

  # Inputs

  `files`
  : path in the folder → file: a path or a derivation, such as `hug.models.x.files."a.safetensors"`

  # Errors

  A path that leaves the folder, or lies below another one that is a file.
*/
files:
let
  problemOf =
    path:
    if !isPath path then
      "is not a path inside the folder"
    else if isBelowFile files path then
      "lies below a path that is a file"
    else
      null;
  bad = filter (path: problemOf path != null) (attrNames files);
in
if bad == [ ] then
  linkFiles {
    name = "link-tree";
    inherit files;
  }
else
  throw "nix-hug: linkTree: ${toJSON (head bad)} ${problemOf (head bad)}"
