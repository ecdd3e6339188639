import path from 'node:path';
import { digestsOf } from '../../cache/digests.ts';
import { readExpected } from '../../cache/scan/expected.ts';
import { type CachedRepo, type CachedRevision, sizeOf } from '../../cache/scan/repo-folder.ts';
import type { CachedFile } from '../../cache/scan/snapshot.ts';
import { systemCodeOf } from '../../errors.ts';
import { isSha256Hex, sriOfHex } from '../../integrity.ts';
import { storeNameOf } from '../../lock/store-name.ts';
import { storePathOf } from '../../store/store-path.ts';
import type { Store } from '../store.ts';

/** Digits of base 32, and a name (Nix manual, "Store Path"); Nix refuses to be asked about others. */
const STORE_OBJECT = /^[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,210}$/u;

/** A second of hashing, for one revision; in bytes. Plain files of a model are a tenth of it. */
const MOST_HASHED = 256 * 1024 * 1024;

/**
 * Tells which revisions the store has whole: each file at the path that its derivation has, or else
 * the cache itself is a link into the store.
 *
 * The path needs the SHA-256 of a file, and weights are not hashed for it. The name of an LFS file's
 * blob is its SHA-256, and it is believed; `verify` does not. Where a snapshot has files instead of
 * links, `trees/<commit>.json` tells it. Plain files are hashed, but only those of revisions all of
 * whose LFS files are in the store. Nix is asked once, and once more when something was hashed.
 *
 * @param signal ends the hashing
 * @returns `undefined` for a revision of which too much would have to be hashed
 */
export async function storedRevisions(
  repos: readonly CachedRepo[],
  { nix, storeFolder }: Store,
  signal: AbortSignal,
): Promise<ReadonlyMap<CachedRevision, boolean | undefined>> {
  const revisions = repos.flatMap((repo) => repo.revisions);
  const storePaths = new Map<CachedFile, string>();
  const missing = new Set<string>();
  const computed = new Map<string, string>();

  /** Most files are the same in many revisions. */
  function note(file: CachedFile, hash: string): void {
    const name = storeNameOf(file.path) ?? path.posix.basename(file.path);
    const key = `${hash} ${name}`;
    const storePath = computed.get(key) ?? storePathOf(storeFolder, { name, hash });
    computed.set(key, storePath);
    storePaths.set(file, storePath);
  }

  async function ask(files: readonly CachedFile[]): Promise<void> {
    const wanted = new Set(files.flatMap((file) => storePaths.get(file) ?? []));
    for (const lacking of await nix.missing([...wanted])) missing.add(lacking);
  }

  function verdictOn({ files, isWhole }: CachedRevision): boolean | undefined {
    const paths = files.map((file) => storePaths.get(file));
    const isLacking = paths.some((storePath) => storePath !== undefined && missing.has(storePath));
    if (!isWhole || paths.length === 0 || isLacking) return false;
    return paths.includes(undefined) ? undefined : true;
  }

  for (const { folder, revisions: some } of repos) {
    for (const { rev, files } of some) {
      const nameless = files.some(
        (file) => file.etag === undefined && ownStorePath(file, storeFolder) === undefined,
      );
      const expected = nameless ? await readExpected(folder, rev) : undefined;
      for (const file of files) {
        const own = ownStorePath(file, storeFolder);
        const etag = file.etag ?? expected?.get(file.path) ?? '';
        if (own !== undefined) storePaths.set(file, own);
        else if (isSha256Hex(etag)) note(file, sriOfHex(etag));
      }
    }
  }
  await ask([...storePaths.keys()]);

  const toHash = revisions
    .filter((revision) => verdictOn(revision) === undefined)
    .map(({ files }) => files.filter((file) => !storePaths.has(file)))
    .filter((files) => sizeOf(files) <= MOST_HASHED)
    .flat();
  const hashes = new Map<string, string | undefined>();
  for (const { file } of toHash) {
    if (!hashes.has(file)) hashes.set(file, await hashOf(file, signal));
  }
  for (const file of toHash) {
    const hash = hashes.get(file.file);
    if (hash !== undefined) note(file, hash);
  }
  await ask(toHash);
  return new Map(revisions.map((revision) => [revision, verdictOn(revision)]));
}

/** The store path that a file of the cache lies in, where the cache is made of links to the store. */
function ownStorePath({ file }: CachedFile, storeFolder: string): string | undefined {
  if (!file.startsWith(`${storeFolder}/`)) return undefined;
  const [name = ''] = file.slice(storeFolder.length + 1).split('/');
  return STORE_OBJECT.test(name) ? `${storeFolder}/${name}` : undefined;
}

/** SHA-256 of a file in SRI form; `undefined` when it cannot be read. */
async function hashOf(file: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await digestsOf(file, signal)).hash;
  } catch (error) {
    signal.throwIfAborted();
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}
