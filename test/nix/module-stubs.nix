# The options of NixOS and of Home Manager that the modules set, with their types.
{ lib }:
let
  inherit (lib) mkOption types;
  empty =
    type:
    mkOption {
      inherit type;
      default = { };
    };
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
            ExecStart = mkOption {
              type = types.nullOr types.str;
              default = null;
            };
          };
        }
      )
    );
  };
}
