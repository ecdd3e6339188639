{ runScript }:
let
  inherit (builtins) attrValues concatStringsSep mapAttrs readFile;

  inherit (import ./valid.nix) isReserved;

  script = readFile ./link-files.sh;
  checkBlobs = readFile ./fetch-model/check-blobs.sh;

  # Two lines for each path: value and path.
  lines =
    values: concatStringsSep "" (attrValues (mapAttrs (path: value: "${value}\n${path}\n") values));
in
/**
  A folder of links.

  # Inputs

  `name`
  : name of the store path, which is that of a repository. Nix refuses a derivation whose name ends
    in `.drv`, so such a name gets a `_` at its end.

  `files`
  : path in the folder → target of the link

  `blobs`
  : path in the folder → git blob id, of files whose content the build has to check
*/
{
  name,
  files,
  blobs ? { },
}:
runScript {
  name = if isReserved name then "${name}_" else name;
  script = if blobs == { } then script else script + checkBlobs;
  inputs = {
    links = lines files;
  }
  // (if blobs == { } then { } else { blobs = lines blobs; });
}
