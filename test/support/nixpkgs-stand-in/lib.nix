# The functions of nixpkgs' `lib` that nix-hug uses. A test may put the real one here, as `nixpkgs-lib`.
if builtins.pathExists ./nixpkgs-lib then
  import ./nixpkgs-lib
else
  with builtins;
  import ./modules.nix
  // {
    genAttrs =
      names: make:
      listToAttrs (
        map (name: {
          inherit name;
          value = make name;
        }) names
      );

    getExe = package: "${package}/bin/${package.meta.mainProgram}";

    optionalString = condition: text: if condition then text else "";

    optionalAttrs = condition: set: if condition then set else { };

    optional = condition: value: if condition then [ value ] else [ ];

    mapAttrsToList = make: set: map (name: make name set.${name}) (attrNames set);

    importJSON = path: fromJSON (readFile path);

    # A set of files is a list of paths here; a folder means all files below it.
    fileset = {
      unions = concatMap (files: if isList files then files else [ files ]);

      toSource =
        { root, fileset }:
        assert isPath root;
        let
          isBelow =
            above: path: path == above || substring 0 (stringLength above + 1) path == "${above}/";
        in
        {
          outPath = builtins.path {
            name = "source";
            path = root;
            filter =
              path: _type: any (file: isBelow file path || isBelow path file) (map toString fileset);
          };
        };
    };

    fetchers.proxyImpureEnvVars = [
      "http_proxy"
      "https_proxy"
      "ftp_proxy"
      "all_proxy"
      "no_proxy"
      "HTTP_PROXY"
      "HTTPS_PROXY"
      "FTP_PROXY"
      "ALL_PROXY"
      "NO_PROXY"
    ];

    licenses.mit.spdxId = "MIT";

    platforms.unix = [
      "x86_64-linux"
      "aarch64-linux"
      "x86_64-darwin"
      "aarch64-darwin"
    ];
  }
