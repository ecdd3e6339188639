# The file itself, not a folder: llama-cli --model $(nix-build)
{
  pkgs ? import <nixpkgs> { },
  nix-hug ? import ../../nix { inherit pkgs; },
}:
let
  hug = nix-hug.importLock ./hug.lock.json;
in
hug.models.quant.files."tiny-Q4_K_M.gguf"
