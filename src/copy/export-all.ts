import { mayBeInCache } from '../cache/find.ts';
import { repoFolderName } from '../cache/layout.ts';
import { createRepoWriter, type RepoWriter } from '../cache/write/write.ts';
import { EXIT } from '../errors.ts';
import { escapeControls } from '../quote.ts';
import { assertSpace } from '../download/disk-space.ts';
import { type BringContext, damageText } from './to-store.ts';
import { andMore } from '../output/text.ts';
import { succeeded, throwRejected } from '../failures.ts';
import type { HubContext } from '../project/repository.ts';
import type { CommandResult } from '../output/result.ts';
import { createBringToCache } from './to-cache.ts';
import {
  cachedContent,
  contentKey,
  contentsOf,
  type Exported,
  type ExportedContent,
  type ExportedFile,
} from './exported.ts';
import { exportRef } from './export-ref.ts';
import { exportJson, exportText, type Written } from '../output/export-report.ts';
import { createFindInStore, type StoreContext } from './find-in-store.ts';

/** What `export` needs from outside. */
export type ExportContext = BringContext & StoreContext & HubContext;

/**
 * Writes commits into the Hugging Face cache. When a file cannot be brought, the commits that need
 * it are not written, and the others are.
 *
 * @throws HugError `EHUG_DISK_FULL` before anything is brought, when there is no room for all; those
 *   of `BringToCache` and `RepoWriter`, all of them in one
 */
export async function exportAll(
  exports: readonly Exported[],
  context: ExportContext,
): Promise<CommandResult> {
  const { cacheFolder, offline, openNix, runTransfers } = context;
  const contents = contentsOf(exports);
  const writers = createWriters(context);
  const warnings = new Set<string>();
  const warn = (line: string) => void warnings.add(line);
  const supply = createBringToCache({
    cacheFolder,
    writersOf: (content) => writersOf(content, writers),
    findInStore: createFindInStore(contents, { openNix, warn }),
    openDownloads: offline ? undefined : context.openDownloads,
    warn,
    signal: context.signal,
  });
  try {
    await prepare(contents, writers, cacheFolder);
    const results = await runTransfers(
      contents.map((content) => ({
        entry: content.places[0].exported.title,
        title: titleOf(content),
        size: content.size,
        run: (report) => supply.bring(content, report),
      })),
    );
    context.signal.throwIfAborted();
    // Not before: the progress display is gone now.
    for (const warning of warnings) context.warn(warning);
    const sources = new Map(
      [...succeeded(contents, results)].map(([content, source]) => [contentKey(content), source]),
    );
    const complete = exports.filter(({ files }) =>
      files.every((file) => sources.has(contentKey(file))),
    );
    const sourceOf = (file: ExportedFile) => sources.get(contentKey(file));
    const written: Written[] = [];
    for (const exported of complete) {
      const folder = await putCommit(exported, writers, context);
      written.push({ exported, folder, sourceOf });
    }
    throwRejected(contents, results, ({ places }) => places[0].exported.title);
    return { json: exportJson(written), text: exportText(written), exitStatus: EXIT.ok };
  } finally {
    await supply.close();
    await writers.close();
  }
}

/** The writers of all repositories, each made when it is first asked for. */
interface Writers {
  /** One for each id of the repository, in their order. */
  of(exported: Exported): readonly RepoWriter[];
  close(): Promise<void>;
}

function createWriters({ cacheFolder, signal }: ExportContext): Writers {
  const made = new Map<string, RepoWriter>();
  return {
    of: ({ type, ids }) =>
      ids.map((id) => {
        const key = repoFolderName(type, id);
        const writer = made.get(key) ?? createRepoWriter(cacheFolder, type, id, signal);
        made.set(key, writer);
        return writer;
      }),
    async close() {
      for (const writer of made.values()) await writer.close();
    },
  };
}

const writersOf = ({ places }: ExportedContent, writers: Writers): readonly RepoWriter[] => [
  ...new Set(places.flatMap(({ exported }) => writers.of(exported))),
];

/** Fails before anything is downloaded that there would be no room for, or no permission to write. */
async function prepare(
  contents: readonly ExportedContent[],
  writers: Writers,
  cacheFolder: string,
): Promise<void> {
  const affected = new Set<RepoWriter>();
  let needed = 0;
  for (const content of contents) {
    for (const writer of writersOf(content, writers)) {
      if (!(await writer.holds(content))) affected.add(writer);
    }
    // Of what is there under another name a link is made.
    const isThere = await mayBeInCache(cacheFolder, cachedContent(content));
    if (!isThere) needed += content.size;
  }
  for (const writer of affected) await writer.prepare();
  if (affected.size === 0) return;
  await assertSpace(cacheFolder, needed, 'Make room, or set HF_HUB_CACHE to a larger disk.');
}

/**
 * Puts a commit whose contents are there in place, under all ids of its repository.
 *
 * @returns its folder under the id that was asked for
 */
async function putCommit(
  exported: Exported,
  writers: Writers,
  context: ExportContext,
): Promise<string> {
  const { rev, files, tree } = exported;
  const folders: string[] = [];
  for (const writer of writers.of(exported)) {
    const folder = await writer.putSnapshot({ rev, files, tree }, (damage) =>
      context.warn(damageText(damage, 'it was replaced')),
    );
    folders.push(folder);
    await exportRef(exported, writer, context);
  }
  return folders[0] ?? '';
}

function titleOf({ places: [{ file }, ...others] }: ExportedContent): string {
  return andMore(escapeControls(file.path), others.length);
}
