/**
  nix-hug without flakes: `nix-hug`, the command line, and `nix-hug-lib`, the library.

  # Inputs

  `pkgs`
  : a nixpkgs
*/
{
  pkgs ? import <nixpkgs> { },
}:
{
  nix-hug = pkgs.callPackage ./package.nix { };
  nix-hug-lib = import ./nix { inherit pkgs; };
}
