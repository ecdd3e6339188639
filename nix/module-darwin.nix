/**
  nix-darwin module: the named launchd daemons and agents, or all sessions, load the models of a lock
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

  withVariables =
    names:
    lib.genAttrs names (_name: {
      inherit (cfg) environment;
    });

  # A job without a program cannot be loaded, so a misspelt name is an error here.
  requirePrograms =
    option: jobs: names:
    map (name: {
      assertion =
        jobs.${name}.serviceConfig.Program or null != null
        || jobs.${name}.serviceConfig.ProgramArguments or null != null;
      message = "programs.nix-hug.${option}: no module says what ${name} runs; is the name right?";
    }) names;
in
{
  options.programs.nix-hug =
    import ./module-options.nix {
      inherit config lib pkgs;
      kind = "launchd daemons (`launchd.daemons`)";
      example = [ "chat" ];
    }
    // {
      agents = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [ "chat" ];
        description = ''
          Names of launchd agents of the primary user (`launchd.user.agents`) that get the same
          variables as `services`.
        '';
      };
    };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = lib.optional (cfg.package != null) cfg.package;
    environment.variables = lib.mkIf cfg.sessions cfg.environment;
    launchd.daemons = withVariables cfg.services;
    launchd.user.agents = withVariables cfg.agents;
    assertions =
      requirePrograms "services" config.launchd.daemons cfg.services
      ++ requirePrograms "agents" config.launchd.user.agents cfg.agents;
  };
}
