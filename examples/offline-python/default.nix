# nix-shell --run 'python load.py'
{
  pkgs ? import <nixpkgs> { },
  nix-hug ? import ../../nix { inherit pkgs; },
}:
let
  hug = nix-hug.importLock ./hug.lock.json;
in
pkgs.mkShellNoCC (
  hug.env
  // {
    packages = [ (pkgs.python3.withPackages (python: [ python.huggingface-hub ])) ];
  }
)
