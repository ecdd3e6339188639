{
  description = "Models and datasets of the Hugging Face Hub, locked";

  inputs = {
    nix-hug.url = "github:nix-hug/nix-hug";
    nixpkgs.follows = "nix-hug/nixpkgs";
  };

  outputs =
    { nixpkgs, nix-hug, ... }:
    let
      # Everything in hug.lock.json, for each system: hug.models, hug.datasets, hug.cache.
      locked = builtins.mapAttrs (_system: lib: lib.importLock ./hug.lock.json) nix-hug.lib;
    in
    {
      # All of it as one Hugging Face cache.
      packages = builtins.mapAttrs (_system: hug: { default = hug.cache; }) locked;

      # Programs in this shell find the models, and nothing else, without a network. To change the
      # lock there: HF_HUB_OFFLINE=0 nix-hug update
      devShells = builtins.mapAttrs (system: hug: {
        default = nixpkgs.legacyPackages.${system}.mkShellNoCC {
          packages = [ nix-hug.packages.${system}.default ];
          HF_HUB_CACHE = hug.cache;
          HUGGINGFACE_HUB_CACHE = hug.cache;
          HF_HUB_OFFLINE = "1";
        };
      }) locked;
    };
}
