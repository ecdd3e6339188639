/**
  Home Manager module: the named services of a user, or all sessions, load the models of a lock
  offline.
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
    home.packages = lib.optional (cfg.package != null) cfg.package;
    home.sessionVariables = lib.mkIf cfg.sessions cfg.environment;
    systemd.user.services = lib.genAttrs cfg.services (_name: {
      Service.Environment = lib.mapAttrsToList (name: value: "${name}=${value}") cfg.environment;
    });
    warnings = import ./module-warnings.nix cfg.services (
      name: config.systemd.user.services.${name}.Service.ExecStart or null
    );
  };
}
