# The part of nixpkgs that nix-hug uses, made of the host's own programs: nixpkgs itself cannot be
# downloaded in a test. Names, arguments and meaning are those of nixpkgs.
{
  system ? builtins.currentSystem,
}:
let
  # A package of links to programs of the host.
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
      PATH = "/usr/bin:/bin";
    };

  bash = hostPrograms "bash" [ "bash" ];

  coreutils = hostPrograms "coreutils" [
    "base64"
    "basename"
    "cat"
    "chmod"
    "cp"
    "cut"
    "dirname"
    "env"
    "head"
    "install"
    "ln"
    "ls"
    "mkdir"
    "mktemp"
    "mv"
    "od"
    "paste"
    "readlink"
    "realpath"
    "rm"
    "sha1sum"
    "sha256sum"
    "sort"
    "stat"
    "tail"
    "touch"
    "tr"
    "uniq"
    "wc"
  ];

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
in
{
  inherit bash coreutils runCommandLocal;
}
