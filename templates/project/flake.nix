{
  inputs.nix-hug.url = "github:nix-hug/nix-hug";

  outputs =
    { nix-hug, ... }:
    {
      packages = builtins.mapAttrs (system: hug: {
        default = (hug.importLock ./hug.lock.json).cache;
      }) nix-hug.lib;
    };
}
