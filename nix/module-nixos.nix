/**
  A NixOS module: programs of all users, or the named system services, load what a lock names.
*/
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.nix-hug;
in
{
  options.programs.nix-hug = import ./module-options.nix { inherit config lib pkgs; };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.sessionVariables = lib.mkIf cfg.sessions cfg.environment;
    systemd.services = lib.genAttrs cfg.services (_name: {
      inherit (cfg) environment;
    });
  };
}
