import { encodePath } from '../repo.ts';
import type { LockedFile } from './schema.ts';
import { storeNameOf } from './store-name.ts';

/** What a lock says of a path that the store or an address cannot have as it is; both follow from it. */
export function pathNames(path: string): Pick<LockedFile, 'storeName' | 'url'> {
  const storeName = storeNameOf(path);
  const url = encodePath(path);
  return {
    ...(storeName === undefined ? {} : { storeName }),
    ...(url === path ? {} : { url }),
  };
}
