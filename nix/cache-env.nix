/**
  The environment of programs that load models and datasets from a cache alone, without a network.

  # Inputs

  `cache`
  : a Hugging Face cache, as a derivation or a path in text

  # Output

  Variables by name. While `HF_HUB_CACHE` equals `NIX_HUG_ENV`, nix-hug itself ignores the others, so
  that it can change a lock where they are set.
*/
cache: {
  HF_HUB_CACHE = cache;
  # optimum reads this one.
  HUGGINGFACE_HUB_CACHE = cache;
  HF_HUB_OFFLINE = "1";
  NIX_HUG_ENV = cache;
}
