let
  inherit (builtins) head match;

  inherit (import ./valid.nix) isEndpoint;
in
/**
  The address of a Hub without slashes at its end. Null for null and for "", since an empty
  `HF_ENDPOINT` counts as unset.

  # Errors

  Any other value that is not the address of a Hub. The message does not show it: it may hold a
  password.
*/
endpoint:
if endpoint == null || endpoint == "" then
  null
else if isEndpoint endpoint then
  head (match "(.*[^/])/*" endpoint)
else
  throw "nix-hug: endpoint is not the address of a Hub: write http or https, a host and at most a path, such as https://huggingface.co"
