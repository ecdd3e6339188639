# The options of NixOS, nix-darwin and Home Manager that the modules set, with their types.
{ lib }:
let
  inherit (lib) mkOption types;
  empty =
    type:
    mkOption {
      inherit type;
      default = { };
    };
  orNull =
    type:
    mkOption {
      type = types.nullOr type;
      default = null;
    };
  jobs = empty (
    types.attrsOf (
      types.submodule {
        options = {
          environment = empty (types.attrsOf types.str);
          serviceConfig = {
            Program = orNull types.path;
            ProgramArguments = orNull (types.listOf types.str);
          };
        };
      }
    )
  );
  packages = mkOption {
    type = types.listOf types.package;
    default = [ ];
  };
in
{
  options = {
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    assertions = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            assertion = mkOption { type = types.bool; };
            message = mkOption { type = types.str; };
          };
        }
      );
      default = [ ];
    };
    services.llama-cpp = {
      enable = mkOption { type = types.bool; };
      model = orNull types.path;
    };
    environment.systemPackages = packages;
    environment.sessionVariables = empty (types.attrsOf types.str);
    systemd.services = empty (
      types.attrsOf (
        types.submodule {
          options = {
            description = mkOption { type = types.str; };
            wantedBy = mkOption { type = types.listOf types.str; };
            environment = empty (types.attrsOf types.str);
            serviceConfig = empty (types.attrsOf types.str);
          };
        }
      )
    );

    environment.variables = empty (types.attrsOf types.str);
    launchd.daemons = jobs;
    launchd.user.agents = jobs;

    home.packages = packages;
    home.sessionVariables = empty (types.attrsOf types.str);
    systemd.user.services = empty (
      types.attrsOf (
        types.submodule {
          options.Service = {
            Environment = mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
            ExecStart = orNull types.str;
          };
        }
      )
    );
    launchd.agents = empty (
      types.attrsOf (
        types.submodule {
          options = {
            enable = mkOption {
              type = types.bool;
              default = false;
            };
            config.EnvironmentVariables = orNull (types.attrsOf types.str);
          };
        }
      )
    );
  };
}
