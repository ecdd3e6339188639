import { closeSync, lstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { LoaderSync } from 'cosmiconfig';
import { ExplorerSync, type SearchedFolder } from 'cosmiconfig/dist/ExplorerSync.js';
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
 * `.config/hug.yaml` from the working directory upward. If one of these exists but cannot be read,
 * nix-hug stops; it does not search further up.
 *
 * @returns its absolute path
 * @throws HugError `EHUG_MANIFEST_MISSING`, or `EHUG_FILE_SYSTEM` when a folder cannot be searched or
 *   what is found is no readable file
 */
export function locateManifest({ cwd, manifest }: LocateOptions): string {
  if (manifest === undefined) return searchUpward(cwd);
  const file = path.resolve(cwd, manifest);
  if (statOf(file) !== undefined) return file;
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no ${file}`, {
    hint: 'Leave --manifest out to look for hug.yaml from the working directory upward.',
  });
}

/**
 * Reads the text of a manifest, without a byte order mark.
 *
 * @param file path from `locateManifest`
 * @throws HugError `EHUG_FILE_SYSTEM`, or `EHUG_MANIFEST_INVALID` when it is not UTF-8
 */
export function readManifest(file: string): string {
  refuseNonFile(file);
  const bytes = readOrRefuse(file, () => readFileSync(file));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HugError('EHUG_MANIFEST_INVALID', `${file} is not UTF-8 text`, {
      hint: 'Save it as UTF-8.',
      cause,
    });
  }
}

/** Whether a file, a folder or a link, even a dangling one, has this name, as far as the user may look. */
export function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function searchUpward(cwd: string): string {
  // With "/." the system also says whether the user may look into the folder.
  if (statOf(`${cwd}/.`)?.isDirectory() !== true) {
    throw new HugError('EHUG_FILE_SYSTEM', `${cwd} is not a folder`, {
      hint: 'Name a folder with -C.',
    });
  }
  const found = readOrRefuse(cwd, () => new ManifestExplorer().search(cwd));
  if (found !== null) return found.filepath;
  throw new HugError('EHUG_MANIFEST_MISSING', `there is no hug.yaml in ${cwd} or above it`, {
    hint: 'Write one with nix-hug init, or name its folder with -C.',
  });
}

/**
 * Cosmiconfig's search from a folder upward to the root, by a class that the package does not export.
 * Its exported functions first load options from the working directory: they run `.config/config.js`,
 * and `.config/config.yaml` hides `hug.yaml`. The class does neither, and the loaders return the text,
 * so nothing is executed and no second YAML parser loads.
 */
class ManifestExplorer extends ExplorerSync {
  constructor() {
    const text: LoaderSync = (_file, content) => content;
    super({
      moduleName: 'hug',
      searchPlaces: [...SEARCH_PLACES],
      loaders: { '.yaml': text, '.yml': text },
      searchStrategy: 'global',
      stopDir: '/',
      ignoreEmptySearchPlaces: false,
      transform: (result) => result,
    });
  }

  /**
   * Cosmiconfig skips a file that it cannot read, so the first file of each folder is checked here.
   * The last folder of every search is the user's configuration folder, where nothing counts.
   */
  override getSearchPlacesForDir(folder: SearchedFolder, ofUser: readonly string[]): string[] {
    if (folder.isGlobalConfig) return [];
    const places = super.getSearchPlacesForDir(folder, ofUser);
    const first = places.find(isThere);
    if (first !== undefined) {
      refuseNonFile(first);
      readOrRefuse(first, () => closeSync(openSync(first, 'r')));
    }
    return places;
  }
}

/** @throws HugError `EHUG_FILE_SYSTEM` for all but a file */
function refuseNonFile(file: string): void {
  const stats = statOf(file);
  if (stats?.isFile() === true) return;
  const missing = isThere(file) ? 'its symbolic link leads nowhere' : 'it does not exist';
  const reason = stats === undefined ? missing : 'it is not a file';
  throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${reason}`, {
    hint: 'Repair it or move it away, or name another manifest with --manifest.',
  });
}

/** What a name leads to; `undefined` when it leads nowhere. */
function statOf(file: string): Stats | undefined {
  return readOrRefuse(file, () => {
    try {
      return statSync(file, { throwIfNoEntry: false });
    } catch (error) {
      if (systemCodeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  });
}

function readOrRefuse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof HugError) throw cause;
    throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(cause)}`, {
      hint: 'Check that you may read it.',
      cause,
    });
  }
}
