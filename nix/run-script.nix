{ pkgs }:
/**
  A derivation that runs a bash script with coreutils. It does without `stdenv`: thousands of such
  derivations evaluate fast, and their store paths depend on nothing else.

  # Inputs

  `name`
  : name of the store path

  `script`
  : text of the script, which creates `$out`

  `inputs`
  : name → text of any length. `$xPath` is the path of a file with the text of `inputs.x`, so that
    no value is spliced into the script.
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
  }
)
