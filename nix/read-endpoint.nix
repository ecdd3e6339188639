let
  inherit (builtins) head match;

  inherit (import ./valid.nix) isEndpoint;
in
/**
  The address of a Hub without the slashes at its end; null for null and for an empty one, as the CLI
  takes an empty `HF_ENDPOINT`.

  # Errors

  Anything else that is no address of a Hub. It is not shown, since it may hold a password.
*/
endpoint:
if endpoint == null || endpoint == "" then
  null
else if isEndpoint endpoint then
  head (match "(.*[^/])/*" endpoint)
else
  throw "nix-hug: endpoint is not the address of a Hub: write http or https, a host and no more than a path, such as https://huggingface.co"
