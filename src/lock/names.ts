import { encodePath } from '../address.ts';

/**
 * A store path name for the output of a derivation. Nix allows 1 to 211 characters of
 * `A-Za-z0-9+-._?=` without a leading dot (Nix manual, "Store Path"). It adds the four of `.drv` to the
 * name of the derivation, and refuses a name that already ends so.
 */
export const STORE_NAME = /^(?!.*\.drv$)[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,206}$/u;

const MAX_LENGTH = 207;

/**
 * The store path name of a file whose base name is not a valid one. `nix/store-name.nix` gives the same
 * names.
 *
 * @param path repository path
 * @returns `undefined` when the base name itself is valid
 */
export function storeNameOf(path: string): string | undefined {
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (STORE_NAME.test(base)) return undefined;
  return base
    .replace(/[^A-Za-z0-9+._?=-]+/gu, '_')
    .replace(/\.drv$/u, '.drv_')
    .slice(-MAX_LENGTH)
    .replace(/^\./u, '_');
}

/** The `storeName` and `url` of a file whose path Nix cannot use as it is; most files have neither. */
export function pathNames(path: string): { readonly storeName?: string; readonly url?: string } {
  const storeName = storeNameOf(path);
  const url = encodePath(path);
  return {
    ...(storeName === undefined ? {} : { storeName }),
    ...(url === path ? {} : { url }),
  };
}
