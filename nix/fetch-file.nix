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
  The store path depends on `name` and `hash` alone, so that models and revisions share equal files.

  # Inputs

  `name`
  : name of the store path

  `url`
  : downloaded when the file is neither in the store nor in a binary cache

  `hash`
  : SHA-256 of the content, SRI form

  `previous`
  : a derivation that Nix has to build first, or null; see `in-lanes.nix`
*/
{
  name,
  url,
  hash,
  previous ? null,
  ...
}:
let
  attributes = {
    inherit name url impureEnvVars;
    urls = [ url ];
    outputHash = hash;
    # Nix asks `hashed-mirrors` only with this attribute.
    outputHashAlgo = "sha256";
    outputHashMode = "flat";
    builder = "builtin:fetchurl";
    system = "builtin";
    executable = false;
    unpack = false;
    preferLocalBuild = true;
  };
in
derivation (if previous == null then attributes else attributes // { inherit previous; })
