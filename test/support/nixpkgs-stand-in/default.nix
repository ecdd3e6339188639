# The part of nixpkgs that nix-hug uses, made of the host's own programs: a test cannot download
# nixpkgs. Names, arguments and meaning are those of nixpkgs. `lib` may be the one of nixpkgs.
{
  system ? builtins.currentSystem,
  overlays ? [ ],
  lib ? import ./lib.nix,
}:
let
  # Where the host has its programs. A test may put a file with another PATH here.
  hostPath =
    if builtins.pathExists ./host-path then builtins.readFile ./host-path else "/usr/bin:/bin";

  # A package of links to programs of the host, whose names are separated by spaces.
  hostPrograms =
    name: programs:
    derivation {
      inherit name programs system;
      builder = "/bin/sh";
      args = [
        "-euc"
        ''
          mkdir -p "$out/bin"
          for program in $programs; do
            ln -s "$(command -v "$program")" "$out/bin/$program"
          done
        ''
      ];
      PATH = hostPath;
    };

  bash = hostPrograms "bash" "bash";

  coreutils = hostPrograms "coreutils" (
    "base64 basename cat chmod cp cut dirname env head install ln ls mkdir mktemp mv od paste readlink"
    + " realpath rm sha1sum sha256sum sort stat tail touch tr uniq wc"
  );

  findutils = hostPrograms "findutils" "find";

  nodejs = hostPrograms "nodejs" "node npm" // {
    meta.mainProgram = "node";
  };

  runCommandLocal =
    name: env: buildCommand:
    derivation (
      env
      // {
        inherit buildCommand name system;
        builder = "${bash}/bin/bash";
        args = [
          "-euc"
          ". \"$buildCommandPath\""
        ];
        PATH = "${coreutils}/bin";
        passAsFile = [ "buildCommand" ] ++ env.passAsFile or [ ];
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
    );

  mkDerivation =
    arguments:
    let
      attrs =
        if builtins.isFunction arguments then arguments (attrs // { finalPackage = package; }) else arguments;
      checkInputs = if attrs.doInstallCheck or false then attrs.nativeInstallCheckInputs or [ ] else [ ];
      built = derivation (
        removeAttrs attrs [
          "meta"
          "passthru"
        ]
        // (
          if attrs ? meta.mainProgram then { NIX_MAIN_PROGRAM = attrs.meta.mainProgram; } else { }
        )
        // {
          inherit system;
          name = attrs.name or "${attrs.pname}-${attrs.version}";
          nativeBuildInputs = attrs.nativeBuildInputs or [ ] ++ checkInputs;
          builder = "${bash}/bin/bash";
          # With structured attributes, the variables come from a file.
          args = [
            "-ec"
            "if [[ -e .attrs.sh ]]; then . ./.attrs.sh; fi; . $stdenv/setup; genericBuild"
          ];
          stdenv = ./stdenv;
          outputs = [ "out" ];
          initialPath = "${bash}/bin:${coreutils}/bin:${findutils}/bin";
        }
      );
      passthru = attrs.passthru or { };
      package =
        built
        // passthru
        // {
          inherit passthru;
          meta = attrs.meta or { };
        };
    in
    package;

  stdenvNoCC = rec {
    inherit mkDerivation;
    hostPlatform = {
      inherit system;
      canExecute = other: other.system == system;
    };
    buildPlatform = hostPlatform;
  };

  # A package whose setup hook defines functions, or adds to hooks of phases.
  hookPackage =
    name: hook:
    mkDerivation {
      inherit name;
      installPhase = ''
        mkdir -p $out/nix-support
        cp ${hook} $out/nix-support/setup-hook
      '';
    };

  installShellFiles = hookPackage "install-shell-files" ./install-shell-files.sh;
  makeWrapper = hookPackage "make-wrapper-hook" ./make-wrapper.sh;
  versionCheckHook = hookPackage "version-check-hook" ./version-check-hook.sh;

  # The bundler of nixpkgs, here as WebAssembly from the package registry of npm: one output for every
  # system.
  esbuild = mkDerivation {
    name = "esbuild-0.28.2";
    nativeBuildInputs = [ nodejs ];
    impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [
      "NODE_EXTRA_CA_CERTS"
      "npm_config_registry"
    ];
    buildPhase = ''
      export HOME=$TMPDIR
      npm install --ignore-scripts --no-audit --no-fund --no-package-lock --prefix . esbuild-wasm@0.28.2
    '';
    installPhase = ''
      mkdir -p $out/lib $out/bin
      mv node_modules/esbuild-wasm $out/lib/
      ln -s ../lib/esbuild-wasm/bin/esbuild $out/bin/esbuild
    '';
    outputHashMode = "recursive";
    outputHash = "sha256-AfoNqvhGbT+0Z3mOjqxDkKLDY483viws/jrvib+aCY8=";
  };

  mkShellNoCC =
    attrs:
    mkDerivation (
      {
        name = "nix-shell";
        nativeBuildInputs = attrs.packages or [ ];
        installPhase = "export > $out";
      }
      // removeAttrs attrs [ "packages" ]
    );

  packages = final: {
    inherit
      bash
      coreutils
      esbuild
      installShellFiles
      lib
      makeWrapper
      mkShellNoCC
      nodejs
      runCommandLocal
      stdenvNoCC
      system
      versionCheckHook
      ;

    # Of which only the platforms are used.
    stdenv = { inherit (stdenvNoCC) buildPlatform hostPlatform; };

    callPackage =
      file: args:
      let
        make = import file;
      in
      make (builtins.intersectAttrs (builtins.functionArgs make) final // args);

    extend =
      overlay:
      import ./. {
        inherit lib system;
        overlays = overlays ++ [ overlay ];
      };
  };

  final = builtins.foldl' (previous: overlay: previous // overlay final previous) (
    packages final
  ) overlays;
in
final
