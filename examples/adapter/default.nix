{
  pkgs ? import <nixpkgs> { },
}:
# The adapter and its base model, for programs that load the adapter by its id.
((import ../../nix { inherit pkgs; }).importLock ./hug.lock.json).models.lora.cache
