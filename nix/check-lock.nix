{ pkgs, runScript }:
/**
  A derivation that fails when the lock of a project is missing, stale or not canonical; its log has the
  reasons. For the `checks` of a flake.

  # Inputs

  `src`
  : the folder with manifest and lock

  `manifest`
  : path of the manifest in `src`; null for the `hug.yaml` that the command finds

  `package`
  : the command line
*/
{
  src,
  manifest ? null,
  package ? pkgs.nix-hug or (pkgs.callPackage ../package.nix { }),
}:
runScript {
  name = "check-lock";
  script = builtins.readFile ./check-lock.sh;
  inputs = {
    project = "${src}";
    manifest = if manifest == null then "" else manifest;
    program = "${package}/bin/nix-hug";
  };
}
