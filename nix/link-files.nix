{ runScript }:
let
  inherit (builtins)
    attrValues
    concatStringsSep
    mapAttrs
    readFile
    ;

  storeNameOf = import ./store-name.nix;

  script = readFile ./link-files.sh;
  check = readFile ./check-blobs.sh;

  # Two lines for each path.
  lines =
    values: concatStringsSep "" (attrValues (mapAttrs (path: value: "${value}\n${path}\n") values));
in
/**
  A folder of links.

  # Inputs

  `name`
  : name of the store path; one that ends in `.drv`, as that of a repository may, gets a `_` behind it,
    since Nix makes no derivation of such a name

  `files`
  : path in the folder → what the link points to

  `blobs`
  : path in the folder → git blob id, of files that nothing else has checked
*/
{
  name,
  files,
  blobs ? { },
}:
runScript {
  name = storeNameOf name;
  script = if blobs == { } then script else script + check;
  inputs = {
    links = lines files;
  }
  // (if blobs == { } then { } else { blobs = lines blobs; });
}
