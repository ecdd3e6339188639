/**
  The options of `programs.nix-hug`, the same for NixOS, nix-darwin and Home Manager.

  # Inputs

  `config`, `lib`, `pkgs`
  : those of the module

  `kind`
  : what `services` names, in the words of the system

  `example`
  : names for `services`
*/
{
  config,
  lib,
  pkgs,
  kind,
  example,
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs.nix-hug;
in
{
  enable = lib.mkEnableOption "nix-hug, and the models and datasets of a lock";

  package = mkOption {
    type = types.nullOr types.package;
    default = pkgs.callPackage ../package.nix { };
    defaultText = lib.literalMD "the package of the same version";
    description = "The command line, which is installed; null for none.";
  };

  lock = mkOption {
    type = types.path;
    example = lib.literalExpression "./hug.lock.json";
    description = "The lock whose models and datasets programs load.";
  };

  groups = mkOption {
    type = types.nullOr (types.listOf types.str);
    default = null;
    example = [ "gpu" ];
    description = ''
      Groups of the lock: the cache then has the entries of these groups, and those without groups.
      Null for all entries. Without effect where `cache` is set.
    '';
  };

  cache = mkOption {
    type = types.package;
    default =
      let
        hug = (import ./. { inherit pkgs; }).importLock cfg.lock;
      in
      (if cfg.groups == null then hug else hug.forGroups cfg.groups).cache;
    defaultText = lib.literalMD "the entries of `lock`, or those of `groups`";
    description = ''
      The Hugging Face cache. With a cache of your own, made by `buildCache` from a part of a lock,
      `lock` is not needed.
    '';
  };

  services = mkOption {
    type = types.listOf types.str;
    default = [ ];
    inherit example;
    description = ''
      Names of ${kind} that load models from the cache, offline: they get `HF_HUB_CACHE`,
      `HUGGINGFACE_HUB_CACHE`, `HF_HUB_OFFLINE` and `NIX_HUG_ENV`.
    '';
  };

  sessions = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether programs started from a shell get the same variables. nix-hug itself works there as
      anywhere: `NIX_HUG_ENV` tells it that they are for programs.
    '';
  };

  environment = mkOption {
    type = types.attrsOf types.str;
    readOnly = true;
    default = import ./cache-env.nix "${cfg.cache}";
    defaultText = lib.literalMD "the variables of `cache`";
    description = "The variables, to read: for a container, or a unit that is not a service.";
  };
}
