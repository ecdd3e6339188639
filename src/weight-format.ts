import type { Format } from './selection.ts';

/** A format of weights; the manifest cannot ask for the last two. */
export type WeightFormat = Format | 'rust' | 'coreml';

/** Patterns of paths in lower case; the first that matches decides. */
const TABLE: readonly (readonly [WeightFormat, RegExp])[] = [
  ['openvino', /(?:^|\/)openvino_[^/]*\.(?:xml|bin)$/u],
  ['safetensors', /\.safetensors(?:\.index(?:\.[^/.]+)?\.json)?$/u],
  ['gguf', /\.gguf$/u],
  ['onnx', /\.onnx(?:_data(?:_\d+)?|\.data)?$/u],
  ['tensorflow', /\.(?:h5|keras|tflite)$|(?:^|\/)(?:saved_model\.pb|variables\/[^/]+)$/u],
  ['flax', /\.msgpack(?:\.index(?:\.[^/.]+)?\.json)?$/u],
  ['pytorch', /\.(?:bin|pt|pth|ckpt)$|\.bin\.index(?:\.[^/.]+)?\.json$/u],
  ['rust', /\.ot$/u],
  ['coreml', /\.mlmodel$|\.mlpackage\//u],
];

/** The format of a weight file, by its name alone; `undefined` for every other file. */
export function weightFormat(path: string): WeightFormat | undefined {
  const name = path.toLowerCase();
  return TABLE.find(([, pattern]) => pattern.test(name))?.[0];
}
