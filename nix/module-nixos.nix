/**
  NixOS module: the named system services, or all sessions, load the models of a lock offline.
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
  options.programs.nix-hug = import ./module-options.nix {
    inherit config lib pkgs;
    kind = "systemd services";
    example = [ "llama-cpp" ];
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = lib.optional (cfg.package != null) cfg.package;
    environment.sessionVariables = lib.mkIf cfg.sessions cfg.environment;
    systemd.services = lib.genAttrs cfg.services (_name: {
      inherit (cfg) environment;
    });
    warnings = import ./module-warnings.nix cfg.services (
      name: config.systemd.services.${name}.serviceConfig.ExecStart or null != null
    );
  };
}
