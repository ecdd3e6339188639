# A cache for each program, with what it needs: nix-build -A chat
{
  pkgs ? import <nixpkgs> { },
  nix-hug ? import ../../nix { inherit pkgs; },
}:
let
  hug = nix-hug.importLock ./hug.lock.json;
in
{
  everything = hug.cache;
  chat = nix-hug.buildCache { models = [ hug.models.llama ]; };
  training = nix-hug.buildCache {
    models = [ hug.models.llama-onnx ];
    datasets = [ hug.datasets.rows ];
  };
}
