import type { TreeFile } from '../hub/tree.ts';
import type { Selection } from '../manifest/schema.ts';
import { quantsIn, selectQuant } from './quant.ts';

/** A file of a snapshot in the Hugging Face cache. */
interface CachedFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Name of its blob; `undefined` where the snapshot has a file in place of a link. */
  readonly etag: string | undefined;
}

/**
 * The selection that leaves what a snapshot of the cache has: none where it has the whole commit, a quant
 * where that selects exactly its files, else their paths.
 *
 * @param tree every file of the commit
 * @returns `undefined` when the snapshot has no file of the commit
 */
export function selectionOfCached(
  tree: readonly TreeFile[],
  cached: readonly CachedFile[],
): { readonly select?: Selection } | undefined {
  const byPath = new Map(cached.map((file) => [file.path, file]));
  const there = tree.filter((file) => isSame(file, byPath.get(file.path)));
  if (there.length === 0) return undefined;
  if (there.length === tree.length) return {};
  const quant = quantsIn(there).find((offer) => isSameSet(quantFiles(tree, offer.quant), there));
  return quant === undefined
    ? { select: { files: there.map(({ path }) => path) } }
    : { select: { quant: quant.quant } };
}

function isSame({ size, oid, lfs }: TreeFile, cached: CachedFile | undefined): boolean {
  if (cached === undefined || lfs === 'masked') return false;
  return cached.etag === undefined
    ? cached.size === size
    : cached.etag === (lfs === undefined ? oid : lfs.sha256);
}

/** What `quant` selects: plain files stay. */
function quantFiles(tree: readonly TreeFile[], quant: string): readonly TreeFile[] {
  const taken = new Set(selectQuant(tree, quant));
  return tree.filter((file) => file.lfs === undefined || taken.has(file));
}

const isSameSet = (some: readonly TreeFile[], others: readonly TreeFile[]): boolean =>
  some.length === others.length && some.every((file) => others.includes(file));
