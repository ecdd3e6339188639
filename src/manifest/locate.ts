import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Loader, PublicExplorer } from 'cosmiconfig';
import { Explorer } from 'cosmiconfig/dist/Explorer.js';
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
 * `.config/hug.yaml` from the working directory upward.
 *
 * @returns its absolute path
 * @throws HugError `EHUG_MANIFEST_MISSING`, or `EHUG_FILE_SYSTEM` when a folder cannot be searched
 */
export async function locateManifest({ cwd, manifest }: LocateOptions): Promise<string> {
  return manifest === undefined ? await search(cwd) : await named(path.resolve(cwd, manifest));
}

/**
 * Reads the text of a manifest, without a byte order mark.
 *
 * @param file path from `locateManifest`
 * @throws HugError `EHUG_FILE_SYSTEM`, or `EHUG_MANIFEST_INVALID` when it is not UTF-8
 */
export async function readManifest(file: string): Promise<string> {
  const bytes = await readRegularFile(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HugError('EHUG_MANIFEST_INVALID', `${file} is not UTF-8 text`, {
      hint: 'Save it as UTF-8.',
      cause,
    });
  }
}

async function named(file: string): Promise<string> {
  if ((await kindOf(file)) !== undefined) return file;
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no ${file}`, {
    hint: 'Leave --manifest out to look for hug.yaml from the working directory upward.',
  });
}

async function search(cwd: string): Promise<string> {
  if ((await kindOf(cwd)) !== 'folder') {
    throw new HugError('EHUG_FILE_SYSTEM', `${cwd} is not a folder`, {
      hint: 'Name a folder with -C.',
    });
  }
  const explorer = createExplorer();
  for (const folder of upward(path.resolve(cwd))) {
    const found = await orRefuse(folder, explorer.search(folder));
    if (found !== null) return found.filepath;
  }
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no hug.yaml in ${cwd} or above it`, {
    hint: 'Write one with nix-hug init, or name its folder with -C.',
  });
}

/**
 * Cosmiconfig's search of one folder, with none of its other habits. The package's own entry first
 * looks for options in the working directory and runs a `.config/config.js` there, and its search
 * upward goes on to the user's configuration folder; the class underneath does neither. The loader
 * gives raw text, so that nothing is executed and no second YAML parser loads.
 */
function createExplorer(): Pick<PublicExplorer, 'search'> {
  const text: Loader = (_file, content) => content;
  return new Explorer({
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

async function readRegularFile(file: string): Promise<Uint8Array> {
  const kind = await kindOf(file);
  if (kind === 'file') return await orRefuse(file, readFile(file));
  const reason = kind === undefined ? 'does not exist' : 'is not a file';
  throw new HugError('EHUG_FILE_SYSTEM', `${file} ${reason}`, {
    hint: 'Name a hug.yaml with --manifest.',
  });
}

async function kindOf(file: string): Promise<'file' | 'folder' | 'other' | undefined> {
  try {
    const stats = await stat(file);
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(file, error);
  }
}

async function orRefuse<T>(file: string, reading: Promise<T>): Promise<T> {
  return await reading.catch((error: unknown) => {
    throw unreadable(file, error);
  });
}

function unreadable(file: string, cause: unknown): HugError {
  return new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(cause)}`, {
    hint: 'Check that you may read it.',
    cause,
  });
}
