import { lstatSync } from 'node:fs';

/**
 * Whether anything is at a store path. Nix need not be asked about it otherwise, where the store lies
 * at its own path. The system is asked synchronously, which takes a tenth of the time for thousands
 * of paths.
 */
export const isOnDisk = (storePath: string): boolean =>
  lstatSync(storePath, { throwIfNoEntry: false }) !== undefined;
