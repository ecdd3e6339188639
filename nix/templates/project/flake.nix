{
  description = "Models and datasets of the Hugging Face Hub, locked";

  inputs = {
    nix-hug.url = "github:nix-hug/nix-hug";
    nixpkgs.follows = "nix-hug/nixpkgs";
  };

  outputs =
    { nixpkgs, nix-hug, ... }:
    let
      # Everything in hug.lock.json, for each system: hug.models, hug.datasets, hug.cache,
      # hug.env.
      locked = builtins.mapAttrs (_system: lib: lib.importLock ./hug.lock.json) nix-hug.lib;
    in
    {
      # All of it as one Hugging Face cache.
      packages = builtins.mapAttrs (_system: hug: { default = hug.cache; }) locked;

      # Programs in this shell find the models, and nothing else, without a network. nix-hug itself
      # works there as anywhere: nix-hug add, nix-hug update.
      devShells = builtins.mapAttrs (system: hug: {
        default = nixpkgs.legacyPackages.${system}.mkShellNoCC (
          hug.env // { packages = [ nix-hug.packages.${system}.default ]; }
        );
      }) locked;
    };
}
