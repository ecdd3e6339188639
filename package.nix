/**
  The command line, as nixpkgs' `callPackage` builds it.

  The esbuild of nixpkgs bundles everything into one program. Types are checked in development, not
  here.
*/
{
  lib,
  stdenvNoCC,
  bash,
  coreutils,
  esbuild,
  installShellFiles,
  makeWrapper,
  nix-update-script ? null,
  nodejs,
  runCommandLocal,
  versionCheckHook,
}:
let
  sourceOf =
    files:
    lib.fileset.toSource {
      root = ./.;
      fileset = lib.fileset.unions files;
    };

  # One fixed output for every system, since no dependency has native code. `fetchNpmDeps` cannot make
  # it: it downloads from the addresses in a lock, and `package-lock.json` names no registry. It would
  # also download the development tools of every system, 750 MB.
  #
  # After a change of `package-lock.json`: empty `outputHash`, build, and copy the hash that Nix reports.
  dependencies = stdenvNoCC.mkDerivation {
    name = "nix-hug-dependencies";
    src = sourceOf [
      ./package.json
      ./package-lock.json
    ];
    strictDeps = true;
    nativeBuildInputs = [ nodejs ];
    impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [
      "NODE_EXTRA_CA_CERTS"
      "npm_config_registry"
    ];

    # To npm, TypeScript is an optional dependency, as a peer of cosmiconfig. The metadata and the empty
    # folders that npm leaves behind depend on its version.
    buildPhase = ''
      export HOME=$TMPDIR
      npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --no-update-notifier
      rm -r node_modules/.bin node_modules/.package-lock.json
      find node_modules -type d -empty -delete
    '';
    installPhase = ''
      mkdir $out
      mv node_modules $out/
    '';
    dontFixup = true;

    outputHashMode = "recursive";
    outputHash = "sha256-tQ/DGydtUvlP9kWAGT4ABOuyC1fDL+eu0jDMCvcJh0I=";
  };
in
stdenvNoCC.mkDerivation (finalAttrs: {
  pname = "nix-hug";
  inherit (lib.importJSON ./package.json) version;

  src = sourceOf [
    ./nix
    ./package.json
    ./schemas
    ./scripts
    ./src
    ./tsconfig.json
  ];
  strictDeps = true;
  __structuredAttrs = true;
  nativeBuildInputs = [
    esbuild
    installShellFiles
    makeWrapper
    nodejs
  ];

  buildPhase = ''
    runHook preBuild
    # A copy: through a symbolic link, the bundle would contain the store path and depend on it.
    cp -r ${dependencies}/node_modules .
    bash scripts/bundle.sh
    runHook postBuild
  '';

  # `nix-hug fetch <url>` builds models with these two packages, so that it needs no other nixpkgs.
  installPhase = ''
    runHook preInstall

    home=$out/lib/nix-hug
    mkdir -p "$home/nixpkgs"
    installManPage dist/nix-hug.1
    rm dist/nix-hug.1
    mv dist nix package.json schemas "$home/"
    cat > "$home/nixpkgs/default.nix" <<'EOF'
    { }:
    builtins.mapAttrs (name: path: {
      inherit name;
      outPath = builtins.storePath path;
      system = "${stdenvNoCC.hostPlatform.system}";
    }) {
      bash = "${bash}";
      coreutils = "${coreutils}";
    }
    EOF
    makeWrapper ${lib.getExe nodejs} "$out/bin/nix-hug" \
      --add-flags "$home/dist/launch.cjs" \
      --set-default NIX_HUG_NIXPKGS "$home/nixpkgs"

    runHook postInstall
  '';

  postInstall = lib.optionalString (stdenvNoCC.buildPlatform.canExecute stdenvNoCC.hostPlatform) ''
    installShellCompletion --cmd nix-hug \
      --bash <("$out/bin/nix-hug" completion bash) \
      --zsh <("$out/bin/nix-hug" completion zsh) \
      --fish <("$out/bin/nix-hug" completion fish)
  '';

  doInstallCheck = true;
  nativeInstallCheckInputs = [ versionCheckHook ];
  versionCheckProgramArg = "--version";

  passthru = {
    inherit dependencies;

    # Nix and the command line accept the locks of the examples, offline.
    tests.examples =
      let
        hug = import ./nix { pkgs = { inherit bash coreutils; }; };
        names = builtins.attrNames (builtins.readDir ./examples);
        cacheOf = name: (hug.importLock (./examples + "/${name}/hug.lock.json")).cache;
      in
      runCommandLocal "nix-hug-examples"
        {
          caches = map (name: builtins.unsafeDiscardStringContext (cacheOf name).drvPath) names;
        }
        ''
          for manifest in ${./examples}/*/hug.yaml; do
            ${lib.getExe finalAttrs.finalPackage} lock --check --manifest "$manifest"
          done
          touch $out
        '';
  }
  // lib.optionalAttrs (nix-update-script != null) { updateScript = nix-update-script { }; };

  meta = {
    description = "Lock Hugging Face models and datasets, build them with Nix, load them offline";
    homepage = "https://github.com/nix-hug/nix-hug";
    changelog = "https://github.com/nix-hug/nix-hug/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.mit;
    # Those of nixpkgs are listed there.
    maintainers = [ ];
    mainProgram = "nix-hug";
    platforms = lib.platforms.unix;
  };
})
