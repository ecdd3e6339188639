/**
  Module for flake-parts: `nix-hug-lib` and `nix-hug`, the command line, as arguments of `perSystem`.

  # Inputs

  `self`
  : the flake of nix-hug
*/
self: {
  perSystem =
    { system, ... }:
    {
      _module.args = {
        nix-hug-lib = self.lib.${system};
        inherit (self.packages.${system}) nix-hug;
      };
    };
}
