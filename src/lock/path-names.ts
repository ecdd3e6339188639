import { encodePath } from '../repo.ts';
import type { LockedFile } from './schema.ts';
import { storeNameOf } from './store-name.ts';

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
