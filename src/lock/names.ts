import { encodePath } from '../repo.ts';
import type { LockedFile } from './schema.ts';

const VALID = /^[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,206}$/u;
const MAX_LENGTH = 207;

/**
 * The name a file gets in the Nix store, when its base name cannot be one: a store path name has
 * 1 to 211 characters of `A-Za-z0-9+-._?=` and no leading dot (Nix manual, "Store Path"). Four of
 * them belong to the `.drv` of the derivation that makes the file, and its name must not end so.
 *
 * @param path repository path
 * @returns `undefined` when the base name itself is valid
 */
export function storeNameOf(path: string): string | undefined {
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (VALID.test(base) && !base.endsWith('.drv')) return undefined;
  return base
    .replace(/[^A-Za-z0-9+._?=-]+/gu, '_')
    .replace(/\.drv$/u, '.drv_')
    .slice(-MAX_LENGTH)
    .replace(/^\./u, '_');
}

const NONE = {};

/** What a lock says of a path that the store or an address cannot have as it is; both follow from it. */
export function pathNames(path: string): Pick<LockedFile, 'storeName' | 'url'> {
  const storeName = storeNameOf(path);
  const url = encodePath(path);
  if (storeName === undefined && url === path) return NONE;
  return {
    ...(storeName === undefined ? {} : { storeName }),
    ...(url === path ? {} : { url }),
  };
}
