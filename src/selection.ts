/** Formats of weights that an entry can ask for. */
export const FORMATS = [
  'safetensors',
  'pytorch',
  'gguf',
  'onnx',
  'tensorflow',
  'flax',
  'openvino',
] as const;

export type Format = (typeof FORMATS)[number];

/** A variant of weights, such as `fp16`: a part of file names. */
export const VARIANT = /^[A-Za-z0-9_.-]{1,32}$/u;

/** A quant of a GGUF repository, such as `Q4_K_M`: a part of file names, compared without case. */
export const QUANT = /^[A-Za-z0-9_-]{1,32}$/u;
