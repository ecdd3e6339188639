import type { NamedEntry } from '../../lock/entries.ts';
import type { Nix } from '../../store/nix.ts';
import {
  type LackingContent,
  lackingContents,
  type PlacedFile,
  placeFiles,
} from '../../store/plan.ts';
import type { Target } from './bring.ts';

/** Entries, as a store has them and should have them. */
export interface Placement {
  /** Every file, with its store path. */
  readonly files: readonly PlacedFile[];
  /** What the store lacks. */
  readonly contents: readonly LackingContent[];
  readonly target: Target;
}

/**
 * Asks a store which files of entries it lacks.
 *
 * @throws HugError those of `Nix`
 */
export async function placeEntries(entries: readonly NamedEntry[], nix: Nix): Promise<Placement> {
  const { storeFolder } = await nix.facts();
  const files = placeFiles(entries, storeFolder);
  const missing = await nix.missing([...new Set(files.map(({ storePath }) => storePath))]);
  return { files, contents: lackingContents(files, missing), target: { nix, storeFolder } };
}

/** What a placement has of some of its entries. */
export function partOf(
  { files, contents }: Placement,
  entries: readonly NamedEntry[],
): Pick<Placement, 'files' | 'contents'> {
  const own = new Set(entries.map(({ entry }) => entry));
  const isOwn = ({ entry }: PlacedFile) => own.has(entry);
  return {
    files: files.filter(isOwn),
    contents: contents.filter(({ places }) => places.some(isOwn)),
  };
}
