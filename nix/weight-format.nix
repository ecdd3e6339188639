let
  inherit (builtins) filter match;

  toLower = import ./to-lower.nix;

  row = format: pattern: { inherit format pattern; };
  # `index.json` or, of a variant, `index.fp16.json`.
  index = ''\.index(\.[^/.]+)?\.json'';
  # Patterns of whole paths in lower case; the first that matches decides.
  table = [
    (row "openvino" ''(.*/)?openvino_[^/]*\.(xml|bin)'')
    (row "safetensors" ".*\\.safetensors(${index})?")
    (row "gguf" ''.*\.gguf'')
    (row "onnx" ''.*\.onnx(_data(_[0-9]+)?|\.data)?'')
    (row "tensorflow" ''.*\.(h5|keras|tflite)|(.*/)?(saved_model\.pb|variables/[^/]+)'')
    (row "flax" ".*\\.msgpack(${index})?")
    (row "pytorch" ".*\\.(bin|pt|pth|ckpt)|.*\\.bin${index}")
    (row "rust" ''.*\.ot'')
    (row "coreml" ''.*\.mlmodel|.*\.mlpackage/.*'')
  ];
in
/**
  The format of a weight file, by its path alone; null for every other file. `weightFormat` of
  `src/resolve/format.ts` has the same table.
*/
path:
let
  name = toLower path;
  matching = filter ({ pattern, ... }: match pattern name != null) table;
in
if matching == [ ] then null else (builtins.head matching).format
