# The functions of nixpkgs' `lib` that nix-hug uses.
let
  inherit (builtins)
    any
    attrNames
    concatMap
    filter
    isList
    isPath
    listToAttrs
    map
    stringLength
    substring
    ;

  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
in
import ./modules.nix
// rec {
  genAttrs =
    names: make:
    listToAttrs (
      map (name: {
        inherit name;
        value = make name;
      }) names
    );

  mapAttrsToList = make: set: map (name: make name set.${name}) (attrNames set);

  importJSON = path: builtins.fromJSON (builtins.readFile path);

  # A set of files is a list of paths here, of which a folder means all below it.
  fileset = {
    unions = concatMap (files: if isList files then files else [ files ]);

    toSource =
      { root, fileset }:
      assert isPath root;
      let
        wanted = map toString fileset;
        isBelow = above: path: path == above || hasPrefix "${above}/" path;
      in
      {
        outPath = builtins.path {
          name = "source";
          path = root;
          filter = path: _type: any (file: isBelow file path || isBelow path file) wanted;
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

  licenses.mit = {
    shortName = "mit";
    spdxId = "MIT";
    fullName = "MIT License";
    free = true;
  };

  platforms.unix = [
    "x86_64-linux"
    "aarch64-linux"
    "x86_64-darwin"
    "aarch64-darwin"
  ];
}
