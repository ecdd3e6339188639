{ pkgs }:
/**
  A derivation that runs a bash script with coreutils. It is made without `stdenv`, so that thousands
  of them evaluate fast and their store paths depend on nothing else.

  # Inputs

  `name`
  : name of the store path

  `script`
  : text of the script; it fills `$out`

  `inputs`
  : text for the script, of any length: `inputs.x` is the content of the file `$xPath`, never part
    of the script itself
*/
{
  name,
  script,
  inputs,
}:
derivation (
  inputs
  // {
    inherit name;
    inherit (pkgs.bash) system;
    builder = "${pkgs.bash}/bin/bash";
    args = [
      "-c"
      script
    ];
    PATH = "${pkgs.coreutils}/bin";
    passAsFile = builtins.attrNames inputs;
    preferLocalBuild = true;
    allowSubstitutes = false;
  }
)
