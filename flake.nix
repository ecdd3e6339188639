{
  description = "Lock Hugging Face models and datasets, build them with Nix, load them offline";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # A nixpkgs may have dropped a system.
      systems = builtins.filter (system: nixpkgs.legacyPackages ? ${system}) [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem =
        make:
        nixpkgs.lib.genAttrs systems (
          system:
          make {
            pkgs = nixpkgs.legacyPackages.${system};
            nix-hug = self.packages.${system}.default;
          }
        );
    in
    {
      lib = forEachSystem ({ pkgs, ... }: import ./nix { inherit pkgs; });

      packages = forEachSystem (
        { pkgs, ... }:
        rec {
          default = nix-hug;
          nix-hug = pkgs.callPackage ./package.nix { };
        }
      );

      apps = forEachSystem (
        { nix-hug, ... }:
        {
          default = {
            type = "app";
            program = nixpkgs.lib.getExe nix-hug;
            meta = { inherit (nix-hug.meta) description; };
          };
        }
      );

      overlays.default = final: prev: {
        nix-hug = final.callPackage ./package.nix { };
        nix-hug-lib = import ./nix { pkgs = final; };
      };

      nixosModules.default.imports = [ ./nix/module-nixos.nix ];
      darwinModules.default.imports = [ ./nix/module-darwin.nix ];
      homeModules.default.imports = [ ./nix/module-home-manager.nix ];
      homeManagerModules = self.homeModules;
      flakeModules.default.imports = [ (import ./nix/module-flake-parts.nix self) ];

      templates.default = {
        path = ./nix/templates/project;
        description = "A project with models and datasets of the Hugging Face Hub";
      };

      checks = forEachSystem (
        { nix-hug, ... }: { package = nix-hug; } // nix-hug.tests
      );

      devShells = forEachSystem (
        { pkgs, ... }: { default = pkgs.mkShellNoCC { packages = [ pkgs.nodejs ]; }; }
      );
    };
}
