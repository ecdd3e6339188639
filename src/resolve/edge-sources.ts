import path from 'node:path/posix';
import type { TreeFile } from '../hub/tree.ts';
import type { NamedEntry } from '../lock/entries.ts';
import type { LockedEntry } from '../lock/schema.ts';
import { type ByContent, createByContent } from './by-content.ts';
import { PIPELINE_CARD, PIPELINE_INDEX } from './edge-kinds.ts';
import { type Edge, edgeFiles, edgesIn } from './edges.ts';

/** The files of a repository that may name others, shared by all entries of a run. */
export interface EdgeSources {
  /** Their contents. */
  readonly contents: ByContent<Uint8Array>;
  /** Whether a file of a repository is known to name no other one. */
  isWithoutEdges(id: string, file: TreeFile): boolean;
}

/**
 * Remembers which files name no other repository, so that they are not downloaded again.
 *
 * @param entries of an earlier lock
 */
export function createEdgeSources(entries: readonly NamedEntry[]): EdgeSources {
  const without = new Set(
    entries.flatMap(({ type, entry }) => {
      if (type !== 'model' || !isRead(entry)) return [];
      const named = new Set(entry.needs?.map(({ by }) => by));
      const ids = [entry.repo, entry.requested ?? entry.repo];
      return [...entry.files]
        .filter(([file]) => !named.has(file))
        .flatMap(([file, { oid }]) => ids.map((id) => keyOf(id, file, oid)));
    }),
  );
  return {
    contents: createByContent([]),
    isWithoutEdges: (id, file) => without.has(keyOf(id, file.path, file.oid)),
  };
}

const keyOf = (id: string, file: string, oid: string): string =>
  `${id.toLowerCase()} ${oid} ${path.basename(file)}`;

/** Whether the files of an entry were read when it was locked, as version 1 of the lock did not. */
const isRead = ({ repoId, needs, license }: LockedEntry): boolean =>
  repoId !== undefined || needs !== undefined || license !== undefined;

/**
 * The files to read for the edges of a repository, and a warning for each that is too large.
 *
 * @param files the selected ones
 * @param id of the repository
 */
export function edgeFilesToRead(
  files: readonly TreeFile[],
  id: string,
  sources: EdgeSources,
): { readonly files: readonly TreeFile[]; readonly warnings: readonly string[] } {
  const all = edgeFiles(files);
  const isKnown = (file: TreeFile) => sources.isWithoutEdges(id, file);
  // Either of the two means nothing without the other.
  const isPairKnown = all.files.filter(isOfPair).every(isKnown);
  return {
    files: all.files.filter((file) => !(isOfPair(file) ? isPairKnown : isKnown(file))),
    warnings: all.warnings,
  };
}

const isOfPair = (file: TreeFile): boolean =>
  file.path === PIPELINE_INDEX || file.path === PIPELINE_CARD;

/**
 * Reads the repositories that files name.
 *
 * @param contentOf downloads a file and checks it
 * @throws HugError those of `contentOf`
 */
export async function readEdges(
  files: readonly TreeFile[],
  ids: readonly string[],
  sources: EdgeSources,
  contentOf: (file: TreeFile) => Promise<{ readonly bytes: Uint8Array }>,
): Promise<{ readonly edges: readonly Edge[]; readonly warnings: readonly string[] }> {
  const contents = await Promise.all(
    files.map(async (file) => {
      const bytes = await sources.contents.get(file, async () => (await contentOf(file)).bytes);
      return [file.path, bytes] as const;
    }),
  );
  return edgesIn(new Map(contents), ids);
}
