/**
  A folder of links.

  # Inputs

  `name`
  : name of the store path

  `files`
  : path in the folder → what the link points to
*/
{ runScript }:
let
  script = builtins.readFile ./link-files.sh;
in
{ name, files }:
runScript {
  inherit name script;
  inputs.links = builtins.concatStringsSep "" (
    builtins.attrValues (builtins.mapAttrs (path: file: "${file}\n${path}\n") files)
  );
}
