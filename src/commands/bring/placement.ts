import type { NamedEntry } from '../../lock/entries.ts';
import {
  type LackingContent,
  lackingContents,
  type PlacedFile,
  placeFiles,
} from '../../store/plan.ts';
import type { Store } from '../store.ts';

/** Entries, as a store has them and should have them. */
export interface Placement {
  /** Every file, with its store path. */
  readonly files: readonly PlacedFile[];
  /** What the store lacks. */
  readonly contents: readonly LackingContent[];
}

/**
 * Asks a store which files of entries it lacks.
 *
 * @throws HugError those of `Nix`
 */
export async function placeEntries(
  entries: readonly NamedEntry[],
  { nix, storeFolder }: Store,
): Promise<Placement> {
  const files = placeFiles(entries, storeFolder);
  const missing = await nix.missing([...new Set(files.map(({ storePath }) => storePath))]);
  return { files, contents: lackingContents(files, missing) };
}

/** What a placement has of some of its entries. */
export function partOf({ files, contents }: Placement, entries: readonly NamedEntry[]): Placement {
  const own = new Set(entries.map(({ entry }) => entry));
  const isOwn = ({ entry }: PlacedFile) => own.has(entry);
  return {
    files: files.filter(isOwn),
    contents: contents.filter(({ places }) => places.some(isOwn)),
  };
}
