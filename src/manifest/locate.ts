import { closeSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { LoaderSync, PublicExplorerSync } from 'cosmiconfig';
import { ExplorerSync } from 'cosmiconfig/dist/ExplorerSync.js';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

/** Where to look for the manifest. */
export interface LocateOptions {
  /** Working directory. */
  readonly cwd: string;
  /** File that the user names with `--manifest`, relative to `cwd`. */
  readonly manifest?: string | undefined;
}

/** Where a manifest may be in a folder, the first of them first. */
export const SEARCH_PLACES: readonly string[] = ['hug.yaml', 'hug.yml', '.config/hug.yaml'];

/**
 * Finds the manifest: the file that the user names, or the nearest `hug.yaml`, `hug.yml` or
 * `.config/hug.yaml` from the working directory upward. What has such a name and cannot be read is
 * an error: it is never passed over for the manifest of a folder above.
 *
 * @returns its absolute path
 * @throws HugError `EHUG_MANIFEST_MISSING`, or `EHUG_FILE_SYSTEM` when a folder cannot be searched or
 *   what is found is no readable file
 */
export function locateManifest({ cwd, manifest }: LocateOptions): string {
  return manifest === undefined ? search(cwd) : named(path.resolve(cwd, manifest));
}

/**
 * Reads the text of a manifest, without a byte order mark.
 *
 * @param file path from `locateManifest`
 * @throws HugError `EHUG_FILE_SYSTEM`, or `EHUG_MANIFEST_INVALID` when it is not UTF-8
 */
export function readManifest(file: string): string {
  const bytes = readRegularFile(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HugError('EHUG_MANIFEST_INVALID', `${file} is not UTF-8 text`, {
      hint: 'Save it as UTF-8.',
      cause,
    });
  }
}

function named(file: string): string {
  if (kindOf(file) !== undefined) return file;
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no ${file}`, {
    hint: 'Leave --manifest out to look for hug.yaml from the working directory upward.',
  });
}

function search(cwd: string): string {
  // By the name of something in it, which says whether the user may look into it, too.
  if (kindOf(`${cwd}/.`) !== 'folder') {
    throw new HugError('EHUG_FILE_SYSTEM', `${cwd} is not a folder`, {
      hint: 'Name a folder with -C.',
    });
  }
  const explorer = createExplorer();
  for (const folder of upward(path.resolve(cwd))) {
    const first = SEARCH_PLACES.map((place) => path.join(folder, place)).find(isThere);
    if (first !== undefined) refuseUnreadable(first);
    const found = orRefuse(folder, () => explorer.search(folder));
    if (found !== null) return found.filepath;
  }
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no hug.yaml in ${cwd} or above it`, {
    hint: 'Write one with nix-hug init, or name its folder with -C.',
  });
}

/** Cosmiconfig passes over what it cannot read as if it were not there. */
function refuseUnreadable(file: string): void {
  const kind = kindOf(file);
  if (kind === 'file') {
    orRefuse(file, () => closeSync(openSync(file, 'r')));
    return;
  }
  const reason = kind === undefined ? 'its symbolic link leads nowhere' : 'it is not a file';
  throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${reason}`, {
    hint: 'Repair it or move it away, or name another manifest with --manifest.',
  });
}

/**
 * Cosmiconfig's search of one folder, with none of its other habits. The package's own entry first
 * looks for options in the working directory and runs a `.config/config.js` there, and its search
 * upward goes on to the user's configuration folder; the class underneath does neither. The loader
 * gives raw text, so that nothing is executed and no second YAML parser loads.
 */
function createExplorer(): Pick<PublicExplorerSync, 'search'> {
  const text: LoaderSync = (_file, content) => content;
  return new ExplorerSync({
    searchPlaces: [...SEARCH_PLACES],
    loaders: { '.yaml': text, '.yml': text },
    searchStrategy: 'none',
    ignoreEmptySearchPlaces: false,
    transform: (result) => result,
  });
}

/** A folder and all those above it. */
function* upward(folder: string): Generator<string> {
  yield folder;
  const parent = path.dirname(folder);
  if (parent !== folder) yield* upward(parent);
}

function readRegularFile(file: string): Uint8Array {
  const kind = kindOf(file);
  if (kind === 'file') return orRefuse(file, () => readFileSync(file));
  const reason = kind === undefined ? 'does not exist' : 'is not a file';
  throw new HugError('EHUG_FILE_SYSTEM', `${file} ${reason}`, {
    hint: 'Name a hug.yaml with --manifest.',
  });
}

function kindOf(file: string): 'file' | 'folder' | 'other' | undefined {
  try {
    const stats = statSync(file);
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(file, error);
  }
}

/** Whether something has this name, as far as one can know, if only a link that leads nowhere. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function orRefuse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): HugError {
  return new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(cause)}`, {
    hint: 'Check that you may read it.',
    cause,
  });
}
