import type { CachedRevision } from '../cache/repo-folder.ts';
import { type CacheScan, scanCache } from '../cache/scan.ts';
import { HugError } from '../errors.ts';
import { quoted } from '../quote.ts';
import type { Nix } from '../store/nix.ts';
import { assemble, type AssembleContext } from './assemble.ts';
import type { BringContext } from './bring.ts';
import { isImportable, type ImportableRepo } from './cached-entry.ts';
import { importContents } from './import-contents.ts';
import { importSnapshot } from './import-snapshot.ts';
import { inspect } from './inspect.ts';
import { type RemoteContext, withHub } from './remote.ts';
import { type RemoteOptions, type Wanted, wantedOf } from './remote-options.ts';
import type { CommandResult } from './result.ts';
import { lackingWeights } from './weights.ts';

/** What `import <url>` needs from outside. */
export interface ImportUrlContext extends RemoteContext, BringContext, AssembleContext {
  readonly openNix: () => Promise<Nix>;
}

/**
 * `nix-hug import <url>`: brings the weights of a repository from the Hugging Face cache into the Nix
 * store, at the commit that the cache has for the revision, builds the model there and prints the
 * Nix expression that does the same. Offline there is no expression, and the files go into the store
 * one by one.
 */
export async function run(
  url: string,
  options: RemoteOptions,
  context: ImportUrlContext,
): Promise<CommandResult> {
  const wanted = wantedOf(url, options, context.endpoint);
  const { repo, revision } = snapshotIn(
    await scanCache(context.cacheFolder, context.signal),
    wanted,
  );
  if (context.offline) return importSnapshot(repo, revision, wanted.select, context);
  const pinned = { ...wanted, type: repo.type, ref: revision.rev };
  const inspected = await withHub(context, (hub) => inspect(hub, pinned, context.warn));
  const nix = await context.openNix();
  const { contents, target } = await lackingWeights(inspected.remote, wanted.id, nix);
  await importContents(contents, target, context);
  return assemble(inspected, nix, undefined, context);
}

/** The snapshot that is meant. */
function snapshotIn(
  { repos }: CacheScan,
  { type, id, ref }: Wanted,
): { repo: ImportableRepo; revision: CachedRevision } {
  const [repo, other] = repos
    .filter(isImportable)
    .filter((each) => each.id === id && (type === undefined || each.type === type));
  if (repo === undefined)
    throw notCached(`the Hugging Face cache has no ${type ?? 'repository'} ${id}`);
  if (other !== undefined) {
    throw new HugError('EHUG_REPO_AMBIGUOUS', `the cache has ${id} as a model and as a dataset`, {
      hint: `Write hf:${id} or hf-datasets:${id}.`,
    });
  }
  const revision = repo.revisions.find(({ rev, refs }) => rev === ref || refs.includes(ref));
  if (revision !== undefined) return { repo, revision };
  throw notCached(`the Hugging Face cache has ${repo.type} ${id} not at ${quoted(ref)}`);
}

const notCached = (message: string): HugError =>
  new HugError('EHUG_NOT_CACHED', message, {
    hint: 'nix-hug scan shows what it has; nix-hug fetch downloads the rest.',
  });
