/**
  What the modules for NixOS and for Home Manager have in common: the options of
  `programs.nix-hug`, without those that only one of them has.
*/
{
  config,
  lib,
  pkgs,
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs.nix-hug;
in
{
  enable = lib.mkEnableOption "nix-hug, and models and datasets that it has locked";

  package = mkOption {
    type = types.package;
    default = pkgs.callPackage ../package.nix { };
    defaultText = lib.literalExpression "the package of the same version";
    description = "The command line.";
  };

  lock = mkOption {
    type = types.path;
    example = lib.literalExpression "./hug.lock.json";
    description = "The lock whose models and datasets programs shall find.";
  };

  cache = mkOption {
    type = types.package;
    default = ((import ./. { inherit pkgs; }).importLock cfg.lock).cache;
    defaultText = lib.literalExpression "everything in the lock";
    description = ''
      The Hugging Face cache. Set it instead of the lock to a part of one, which `buildCache` makes.
    '';
  };

  services = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [ "vllm" ];
    description = ''
      Names of systemd services that find the cache, and nothing else, without a network:
      `HF_HUB_CACHE` and `HF_HUB_OFFLINE` are set for them.
    '';
  };

  sessions = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether the same is set for programs that are started from a shell. nix-hug obeys it too:
      `HF_HUB_OFFLINE=0 nix-hug update` changes a lock there.
    '';
  };

  environment = mkOption {
    type = types.attrsOf types.str;
    readOnly = true;
    default = {
      HF_HUB_CACHE = "${cfg.cache}";
      HF_HUB_OFFLINE = "1";
    };
    defaultText = lib.literalExpression "HF_HUB_CACHE and HF_HUB_OFFLINE";
    description = "The variables, for what is neither a service nor a shell: a container, a timer.";
  };
}
