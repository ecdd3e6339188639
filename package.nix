/**
  The command line, as nixpkgs' `callPackage` builds it.

  Its dependencies are one fixed-output derivation, which npm makes from `package-lock.json`. There is
  one hash to maintain and one output for every system, since no dependency has native code. The
  esbuild of nixpkgs bundles everything into one program. Types are checked in development, not here.
*/
{
  lib,
  stdenvNoCC,
  bash,
  coreutils,
  esbuild,
  makeWrapper,
  nodejs,
}:
let
  sourceOf =
    files:
    lib.fileset.toSource {
      root = ./.;
      fileset = lib.fileset.unions files;
    };

  # After a change of `package-lock.json`: empty `outputHash`, build, and copy the hash that Nix reports.
  dependencies = stdenvNoCC.mkDerivation {
    name = "nix-hug-dependencies";
    src = sourceOf [
      ./package.json
      ./package-lock.json
    ];
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
    outputHash = "sha256-XPM1R2NwluFGKz2ZEa7grw3jJI0AtQLdMJL9Vo7qVVw=";
  };
in
stdenvNoCC.mkDerivation {
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
  nativeBuildInputs = [
    esbuild
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
    share=$out/share
    mkdir -p "$home/nixpkgs"
    install -Dm644 dist/nix-hug.1 "$share/man/man1/nix-hug.1"
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
    makeWrapper ${nodejs}/bin/node "$out/bin/nix-hug" \
      --add-flags "$home/dist/launch.cjs" \
      --set-default NIX_HUG_NIXPKGS "$home/nixpkgs"

    mkdir -p "$share/bash-completion/completions" "$share/zsh/site-functions" \
      "$share/fish/vendor_completions.d"
    "$out/bin/nix-hug" completion bash > "$share/bash-completion/completions/nix-hug"
    "$out/bin/nix-hug" completion zsh > "$share/zsh/site-functions/_nix-hug"
    "$out/bin/nix-hug" completion fish > "$share/fish/vendor_completions.d/nix-hug.fish"

    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    [[ $("$out/bin/nix-hug" --version) == "$version" ]]
    runHook postInstallCheck
  '';

  passthru = { inherit dependencies; };

  meta = {
    description = "Lock Hugging Face models and datasets, build them with Nix, load them offline";
    homepage = "https://github.com/nix-hug/nix-hug";
    license = lib.licenses.mit;
    mainProgram = "nix-hug";
    platforms = lib.platforms.unix;
  };
}
