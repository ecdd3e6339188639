const VALID = /^[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,206}$/u;
const LONGEST = 207;

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
    .slice(-LONGEST)
    .replace(/^\./u, '_');
}
