import { byCodeUnit } from '../collections.ts';

/** The facts about a file that a quant depends on. */
interface NamedFile {
  readonly path: string;
}

/** Words in the name of a GGUF file that is no model by itself. */
const NOT_A_MODEL = /mmproj|imatrix|mtp-|eagle3-|dflash-|dspark-/u;

const SPLIT = /^(.+)-([0-9]{5})-of-([0-9]{5})$/iu;

/** What the name of a GGUF file tells, as llama.cpp reads it. */
interface GgufName {
  /** The path without `.gguf` and without the number of a part. */
  readonly prefix: string;
  /** Number of this part, from 1; 1 for a whole file. */
  readonly part: number;
  /** Number of parts; 1 for a whole file. */
  readonly parts: number;
}

/** @returns `undefined` for a file that is no GGUF */
export function ggufName(path: string): GgufName | undefined {
  if (!path.endsWith('.gguf')) return undefined;
  const whole = path.slice(0, -'.gguf'.length);
  const [, prefix, part, parts] = SPLIT.exec(whole) ?? [];
  if (prefix === undefined) return { prefix: whole, part: 1, parts: 1 };
  return { prefix, part: Number(part), parts: Number(parts) };
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether a file is a model, or the first part of one, that a quant can mean. */
function isModel({ path }: NamedFile): boolean {
  const name = ggufName(path);
  if (name === undefined || NOT_A_MODEL.test(baseOf(path))) return false;
  return name.parts <= 1 || name.part === 1;
}

/**
 * The files that `llama-server -hf org/name:QUANT` takes: the first model, by path, with the quant in its
 * path, all of its parts, and the `mmproj` that fits best.
 *
 * @param quant of the characters of `QUANT` in `selection.ts`; case does not count
 * @returns empty when no model has the quant
 */
export function selectQuant<F extends NamedFile>(files: readonly F[], quant: string): readonly F[] {
  const sorted = files.toSorted((a, b) => byCodeUnit(a.path, b.path));
  const pattern = new RegExp(`${quant}[.-]`, 'iu');
  const model = sorted.find((file) => isModel(file) && pattern.test(file.path));
  if (model === undefined) return [];
  const projector = bestProjector(sorted, model.path);
  return [...partsOf(sorted, model), ...(projector === undefined ? [] : [projector])];
}

function partsOf<F extends NamedFile>(files: readonly F[], model: F): readonly F[] {
  const of = ggufName(model.path);
  if (of === undefined || of.parts <= 1) return [model];
  return files.filter(({ path }) => {
    const name = ggufName(path);
    return name?.prefix === of.prefix && name.parts === of.parts;
  });
}

/**
 * The projector for images: of those whose folder contains the model, the deepest, then the one whose
 * bits are nearest to the model's.
 */
function bestProjector<F extends NamedFile>(files: readonly F[], model: string): F | undefined {
  const candidates = files.filter(({ path }) => {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    return path.endsWith('.gguf') && path.includes('mmproj') && model.startsWith(folder);
  });
  const depth = ({ path }: F) => path.split('/').length;
  const distance = ({ path }: F) => Math.abs(bitsOf(path) - bitsOf(model));
  // The sort is stable, so the first by path wins a tie.
  return candidates.toSorted((a, b) => depth(b) - depth(a) || distance(a) - distance(b))[0];
}

/** The first number in the tag that ends a name: 4 for `…-Q4_K_M.gguf`; 0 when there is none. */
function bitsOf(path: string): number {
  const [, tag = ''] = /[-.]([A-Z0-9_]+)$/iu.exec(ggufName(path)?.prefix ?? '') ?? [];
  return Number(/\d+/u.exec(tag)?.[0] ?? 0);
}

/** The name of a quant, in upper case, before what `selectQuant` needs behind it. */
const LABEL = /(?:UD-)?(?:B?F16|F32|MXFP4|NVFP4|[IT]?Q\d(?:_[0-9A-Z]+)*)(?:_[A-Z]+)?(?=[.-])/gu;

/** A quant of a repository. */
export interface QuantOffer {
  readonly quant: string;
  /** In bytes, of all files that the quant selects. */
  readonly size: number;
}

/**
 * The quants of a repository, with what each of them takes. One that only the name of a folder or of an
 * unknown kind has is not found.
 *
 * @returns smallest first
 */
export function quantsIn(
  files: readonly (NamedFile & { readonly size: number })[],
): readonly QuantOffer[] {
  const ggufs = files.filter(({ path }) => path.endsWith('.gguf'));
  const labels = ggufs.filter(isModel).flatMap(({ path }) => {
    const label = baseOf(path).toUpperCase().match(LABEL)?.at(-1);
    return label === undefined ? [] : [label];
  });
  return [...new Set(labels)]
    .map((quant) => ({
      quant,
      size: selectQuant(ggufs, quant).reduce((sum, { size }) => sum + size, 0),
    }))
    .toSorted((a, b) => a.size - b.size || byCodeUnit(a.quant, b.quant));
}
