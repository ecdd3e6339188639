import { scanCache } from '../cache/scan/scan.ts';
import { importContents, unsound } from '../copy/import-contents.ts';
import { type PlacedFile, partOf, placeEntries } from '../copy/placement.ts';
import { type BringContext, damageText } from '../copy/to-store.ts';
import { EXIT } from '../errors.ts';
import { throwFailures } from '../failures.ts';
import type { HubApi } from '../hub/api.ts';
import type { NamedEntry } from '../lock/entries.ts';
import { type FetchReport, fetchJson, fetchText } from '../output/fetch-report.ts';
import type { Output } from '../output/json-schema.ts';
import { listingJson, listingOf } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import { table } from '../output/table.ts';
import {
  type RemoteOptions,
  type Targets,
  type RepoRequest,
  isOfLock,
  parseRepoRequest,
} from '../project/arguments.ts';
import { type AssembleContext, assemble, weightsOf } from '../project/assemble.ts';
import { type EntryReader, createEntryReader } from '../project/cached-entry.ts';
import { type CachedSnapshot, findSnapshot } from '../project/cached-snapshot.ts';
import type { CommandContext } from '../project/context.ts';
import { entriesNamed, narrowed } from '../project/entries.ts';
import { pinRepo } from '../project/nix-expression.ts';
import { type ProjectContext, endpointOfManifest, readLock } from '../project/project.ts';
import { type HubContext, forEachRepository, withHub } from '../project/repository.ts';
import { openStore } from '../project/store.ts';
import { escapeControls } from '../quote.ts';
import type { Nix } from '../store/nix.ts';

/** What `import` needs from outside. */
export type ImportContext = ProjectContext & ImportRepoContext & Pick<CommandContext, 'openNix'>;

/**
 * `nix-hug import [name|url]…`: brings what the Hugging Face cache has of the lock, and of
 * repositories, into the Nix store. Nothing is downloaded but what a repository's expression needs,
 * and nothing is brought before all are found.
 *
 * @throws HugError `EHUG_NOT_CACHED` for what the cache lacks; the rest is in the store then
 */
export async function run(
  targets: Targets,
  options: RemoteOptions,
  context: ImportContext,
): Promise<CommandResult> {
  const { names, urls } = targets;
  const endpoint = urls.length === 0 ? undefined : endpointOfManifest(context);
  const wanted = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  const entries = isOfLock(targets) ? entriesNamed(await readLock(context), names) : [];
  const reader = createEntryReader(context.cacheFolder, context.signal);
  const repositories = await importsOf(wanted, endpoint, reader, context);
  const store = await openStore(context);
  const all = [...entries, ...repositories.map(({ named }) => named)];
  const placement = await placeEntries(all, store);
  const sources = await importContents(placement.contents, store, reader.checked, context);

  const results: RepoResult[] = [];
  for (const { named, tell } of repositories) {
    results.push(await tell(partOf(placement, [named]).files, store.nix));
  }
  return importResult({ entries, ...partOf(placement, entries), sources }, results);
}

/** A repository of the cache that is to be imported. */
interface RepoImport {
  /** Its files that go into the store, as a lock would have them. */
  readonly named: NamedEntry;
  /**
   * Tells what is in the store now.
   *
   * @param files where they are
   */
  readonly tell: (files: readonly PlacedFile[], nix: Nix) => Promise<RepoResult>;
}

/** What there is to tell of one repository. */
type RepoResult = CommandResult<Output<'fetch-url'> | Output<'import-url-offline'>>;

/** What importing repositories needs from outside. */
type ImportRepoContext = HubContext & BringContext & AssembleContext;

/**
 * Finds repositories in the Hugging Face cache, at the commits that it has for their refs. With a
 * network the weights are imported, and the model is built from them; without, there is no
 * expression to build, and the files are imported one by one.
 *
 * @param endpoint address that the manifest names
 * @throws HugError those of `findSnapshot`, `pinRepo` and `importOfSnapshot`, all of them in one
 */
async function importsOf(
  wanted: readonly RepoRequest[],
  endpoint: string | undefined,
  reader: EntryReader,
  context: ImportRepoContext,
): Promise<RepoImport[]> {
  if (wanted.length === 0) return [];
  const scan = await scanCache(context.cacheFolder, context.signal);
  if (context.offline) {
    return forEachRepository(wanted, context.warn, async (one, warn) =>
      importOfSnapshot(await findSnapshot(scan, one, undefined), one, reader, warn),
    );
  }
  return withHub(
    context,
    (hub) =>
      forEachRepository(wanted, context.warn, async (one, warn) =>
        importOfWeights(await findSnapshot(scan, one, hub), one, hub, { ...context, warn }),
      ),
    endpoint,
  );
}

async function importOfWeights(
  { repo, revision }: CachedSnapshot,
  wanted: RepoRequest,
  hub: HubApi,
  context: ImportRepoContext,
): Promise<RepoImport> {
  const pinned = { ...wanted, type: repo.type, ref: revision.rev };
  const inspected = await pinRepo(hub, pinned, context.warn);
  return {
    named: weightsOf(inspected.remote, repo.id),
    tell: (_, nix) => assemble(inspected, nix, undefined, context),
  };
}

/**
 * What `import` has to tell: for entries alone, and for one repository alone, what `fetch` does; else
 * one after the other.
 *
 * @param report of the entries of the lock
 */
function importResult(report: FetchReport, repositories: readonly RepoResult[]): CommandResult {
  const [only] = repositories;
  if (only === undefined) {
    return { text: fetchText(report), json: fetchJson(report), exitStatus: EXIT.ok };
  }
  const hasEntries = report.entries.length > 0;
  if (!hasEntries && repositories.length === 1) return only;
  const texts = [
    ...(hasEntries ? [fetchText(report)] : []),
    ...repositories.map(({ text }) => text),
  ];
  const json: Output<'import'> = {
    entries: fetchJson(report).entries,
    repositories: repositories.map((repository) => repository.json),
  };
  return { text: texts.join('\n\n'), json, exitStatus: EXIT.ok };
}

const OBSTACLE =
  'No Nix expression: its fileTreeHash is of an answer that only the Hub gives.\n' +
  'Run it again without --offline and HF_HUB_OFFLINE.';

/**
 * Reads the files of a snapshot that are to go into the Nix store one by one, with nothing to go by
 * but the cache itself.
 *
 * @throws HugError `EHUG_NOT_CACHED` for damaged files, `EHUG_SELECTION`
 */
async function importOfSnapshot(
  { repo, revision }: CachedSnapshot,
  { select }: RepoRequest,
  reader: EntryReader,
  warn: (line: string) => void,
): Promise<RepoImport> {
  const { named, damaged } = await reader.read(repo, revision);
  for (const damage of damaged) warn(damageText(damage));
  throwFailures(damaged.map(({ path }) => unsound(path)));
  const selected = narrowed(named, select, warn);
  return {
    named: selected,
    tell: async (placed) => {
      const rows = placed.map(({ path, storePath }) => [escapeControls(path), storePath]);
      const files = placed.map(({ path, file: { size, lfs }, storePath }) => ({
        path,
        size,
        lfs: lfs !== undefined,
        storePath,
      }));
      return {
        text: [...(await table(rows, {})), '', OBSTACLE].join('\n'),
        json: {
          ...listingJson(listingOf(selected)),
          files,
          expression: null,
          obstacle: OBSTACLE,
          storePath: null,
        },
        exitStatus: EXIT.ok,
      };
    },
  };
}
