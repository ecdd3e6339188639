{
  pkgs ? import <nixpkgs> { },
}:
(import ../../nix { inherit pkgs; }).importLock ./hug.lock.json
