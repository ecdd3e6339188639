/** What the arguments of a command name. */
export interface Targets {
  /** Entries of the lock; all of them where nothing at all is named. */
  readonly names: readonly string[];
  /** Repositories, in any form. */
  readonly urls: readonly string[];
}

/** Whether a command is about the lock. */
export const isOfLock = ({ names, urls }: Targets): boolean =>
  names.length > 0 || urls.length === 0;
