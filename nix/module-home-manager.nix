/**
  Home Manager module: the named services of a user, or all sessions, load the models of a lock
  offline. A service is a systemd service on Linux and a launchd agent on macOS; Home Manager's own
  modules define both under one name.
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
    kind = "systemd user services (Linux) or launchd agents (macOS)";
    example = [ "exo" ];
  };

  config = lib.mkIf cfg.enable {
    home.packages = lib.optional (cfg.package != null) cfg.package;
    home.sessionVariables = lib.mkIf cfg.sessions cfg.environment;
    systemd.user.services = lib.genAttrs cfg.services (_name: {
      Service.Environment = lib.mapAttrsToList (name: value: "${name}=${value}") cfg.environment;
    });
    # An agent that no other module enables is not installed.
    launchd.agents = lib.genAttrs cfg.services (_name: {
      config.EnvironmentVariables = cfg.environment;
    });
    warnings = import ./module-warnings.nix cfg.services (
      name:
      config.systemd.user.services.${name}.Service.ExecStart or null != null
      || config.launchd.agents.${name}.enable or false
    );
  };
}
