let
  impureEnvVars = [
    "http_proxy"
    "https_proxy"
    "ftp_proxy"
    "all_proxy"
    "no_proxy"
  ];
in
/**
  One file as a fixed-output derivation. Nix itself downloads it, with its `netrc-file` and proxies.
  The store path depends on `name` and `hash` alone, so equal files of several models and revisions
  are one.

  # Inputs

  `name`
  : name of the store path

  `url`
  : where it is downloaded from when neither the store nor a substituter has it

  `hash`
  : SHA-256 of its content in SRI form
*/
{
  name,
  url,
  hash,
}:
derivation {
  inherit name url impureEnvVars;
  urls = [ url ];
  outputHash = hash;
  outputHashMode = "flat";
  builder = "builtin:fetchurl";
  system = "builtin";
  executable = false;
  unpack = false;
  preferLocalBuild = true;
}
