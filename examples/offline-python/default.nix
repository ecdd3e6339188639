# nix-shell --run 'python load.py'
{
  pkgs ? import <nixpkgs> { },
  nix-hug ? import ../../nix { inherit pkgs; },
}:
let
  hug = nix-hug.importLock ./hug.lock.json;
in
pkgs.mkShellNoCC {
  packages = [ (pkgs.python3.withPackages (python: [ python.huggingface-hub ])) ];
  HF_HUB_CACHE = hug.cache;
  HUGGINGFACE_HUB_CACHE = hug.cache;
  HF_HUB_OFFLINE = "1";
}
