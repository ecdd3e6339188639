import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { blobPath, repoFolderName, snapshotPath } from '../../src/cache/layout.ts';
import { resolveUrl } from '../../src/hub/api.ts';
import { hexOfSri } from '../../src/digest.ts';
import { parseLock } from '../../src/lock/codec.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import type { LockedFile } from '../../src/lock/schema.ts';
import { type RepoType } from '../../src/repo.ts';
import { encodePath } from '../../src/address.ts';
import type { Hub } from './hub/index.ts';
import { isolatedStore } from './isolated-store.ts';
import { LIBRARY, nixString, PKGS } from './nix.ts';
import { createProject } from './project.ts';
import { tempFolder } from './temp.ts';

/** What is special about a project: else its parts lie in folders of their own. */
interface Places {
  readonly storeFolder?: string;
  /** The Hugging Face cache. */
  readonly cache?: string;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export type CachedProject = Awaited<ReturnType<typeof cachedProject>>;

/** A locked project with a Nix store and a Hugging Face cache of its own, both empty. */
export async function cachedProject(hub: Hub, manifest: string, places: Places = {}) {
  const store = await isolatedStore(places.storeFolder);
  const home = await tempFolder('home ü');
  const cache = places.cache ?? path.join(home, 'hf', 'hub');
  const env = {
    ...store.env,
    HF_HOME: path.join(home, 'hf'),
    HF_HUB_CACHE: cache,
    XDG_CACHE_HOME: path.join(home, 'work'),
    ...places.env,
  };
  const made = await createProject(hub.endpoint, manifest);
  const locked = await made.run(['lock'], { env, home });
  if (locked.status !== 0) throw new Error(locked.stderr);
  hub.clearRequests();
  return {
    ...made,
    store,
    home,
    cache,
    env: { HF_ENDPOINT: hub.endpoint, ...env },
    run: (argv: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      made.run(argv, { env: { ...env, ...more }, home }),
    lock: async () => parseLock((await made.lockText()) ?? '', 'hug.lock.json'),
  };
}

/** A locked file, and where the cache has its content. */
export interface FilledFile {
  readonly type: RepoType;
  readonly path: string;
  readonly file: LockedFile;
  readonly blob: string;
}

/**
 * Fills the cache with files of the lock, as the official client does: blobs, links and refs.
 *
 * @param isWanted default all
 */
export async function fillCache(
  { cache, env, lock }: CachedProject,
  isWanted: (path: string) => boolean = () => true,
): Promise<FilledFile[]> {
  const filled: FilledFile[] = [];
  for (const { type, entry } of namedEntries(await lock())) {
    const { repo, ref, rev } = entry;
    for (const [name, file] of entry.files) {
      if (!isWanted(name)) continue;
      const etag = file.lfs === undefined ? file.oid : hexOfSri(file.hash);
      const cached = { type, id: repo, rev, path: name, etag };
      const blob = blobPath(cache, cached);
      const url = resolveUrl(env.HF_ENDPOINT, type, repo, rev, encodePath(name));
      const { body } = await fetch(url);
      if (body === null) throw new Error(`${url} has no body`);
      // Read from now on: the collector of garbage ends a body that waits, with its response.
      await put(blob, Readable.fromWeb(body));
      await linked(snapshotPath(cache, cached), blob);
      filled.push({ type, path: name, file, blob });
    }
    await put(path.join(cache, repoFolderName(type, repo), 'refs', ref), rev);
  }
  return filled;
}

/** The blob of a path. */
export function blobOf(files: readonly FilledFile[], name: string): string {
  const found = files.find((file) => file.path === name);
  if (found === undefined) throw new Error(`${name} was not filled in`);
  return found.blob;
}

/** Expression of what Nix makes of the lock, with a Hub that is not there. */
export function importedLock({ folder }: Pick<CachedProject, 'folder'>): string {
  const file = nixString(path.join(folder, 'hug.lock.json'));
  return `((${LIBRARY} { pkgs = ${PKGS}; endpoint = "http://127.0.0.1:9"; }).importLock ${file})`;
}

/** Realises every file of the lock with a Hub that is not there, and returns the store paths. */
export async function realiseAll(made: CachedProject): Promise<string[]> {
  const { store } = made;
  const expression = `with ${importedLock(made)}; builtins.concatMap
    (entry: builtins.attrValues entry.files)
    (builtins.attrValues models ++ builtins.attrValues datasets)`;
  const paths = await store.nix('nix-build', '--no-out-link', '--expr', expression);
  return paths.trim().split('\n');
}

/** Whether the store holds what its database says. */
export const isSound = ({ store }: CachedProject): Promise<boolean> =>
  store.nix('nix-store', '--verify', '--check-contents').then(
    () => true,
    () => false,
  );

/** Files below `$XDG_CACHE_HOME`. */
export const workFiles = ({ home }: CachedProject): Promise<string[]> =>
  readdir(path.join(home, 'work'), { recursive: true }).catch(() => []);

/** Writes a file with the folders above it. */
export async function put(
  file: string,
  content: string | AsyncIterable<Uint8Array>,
): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** Links a file to a blob, relatively. */
async function linked(file: string, blob: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await symlink(path.relative(path.dirname(file), blob), file);
}
