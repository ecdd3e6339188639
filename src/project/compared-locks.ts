import path from 'node:path';
import { HugError, usageError } from '../errors.ts';
import { EMPTY_LOCK } from '../lock/codec.ts';
import { decodeLock, isFile, readLockText } from '../lock/file.ts';
import type { Lock } from '../lock/schema.ts';
import { escapeControls, forTerminal } from '../quote.ts';
import type { CommandContext } from './context.ts';
import { locateLock, missingLock, wholeLock } from './project.ts';

/** A lock with the name that the user knows it by. */
export interface ComparedLock {
  readonly name: string;
  readonly lock: Lock;
  /** Why it counts as one without entries. */
  readonly note?: string;
}

/** The revision that the working lock is compared with. */
const DEFAULT_REVISION = 'HEAD';

/**
 * A lock that the user names.
 *
 * @param argument a file if there is one of that name, else a revision of git
 * @throws HugError `EHUG_USAGE` for what looks like an option; `EHUG_LOCK_REVISION`; those of
 *   `locateLock` and of the reader of the lock
 */
export async function readNamedLock(
  context: CommandContext,
  argument: string,
): Promise<ComparedLock> {
  const file = path.resolve(context.cwd, argument);
  if (isFile(file)) {
    const name = escapeControls(argument);
    return { name, lock: wholeLock(readLockText(file) ?? '', name) };
  }
  if (argument.startsWith('-')) {
    throw usageError(`${forTerminal(argument)} is neither a file nor a revision`);
  }
  return readRevision(context, argument);
}

/**
 * The lock of `HEAD`. Without git, a repository or a commit it has no entries.
 *
 * @throws HugError `EHUG_LOCK_REVISION` when git fails otherwise; those of `readNamedLock`
 */
export const readDefaultLock = (context: CommandContext): Promise<ComparedLock> =>
  readRevision(context, DEFAULT_REVISION, new Set(['git', 'repository', 'revision']));

/**
 * The lock of the working directory.
 *
 * @throws HugError `EHUG_LOCK_MISSING`; those of `locateLock` and of the reader of the lock
 */
export function readWorkingLock(context: CommandContext): ComparedLock {
  const { lockPath, lockName } = locateLock(context);
  const text = readLockText(lockPath);
  if (text === undefined) throw missingLock(lockName);
  return { name: lockName, lock: wholeLock(text, lockName) };
}

/** @param allowed what may be missing, beside the lock in the commit */
async function readRevision(
  context: CommandContext,
  revision: string,
  allowed: ReadonlySet<string> = new Set(),
): Promise<ComparedLock> {
  const { lockPath, lockName } = locateLock(context);
  const found = await context.showFile(path.dirname(lockPath), path.basename(lockPath), revision);
  const name = forTerminal(revision);
  if ('content' in found) {
    const place = `${lockName} of ${name}`;
    return { name, lock: wholeLock(decodeLock(found.content, place), place) };
  }
  const { missing, reason } = found;
  if (missing === 'commit' || allowed.has(missing)) {
    return { name, lock: EMPTY_LOCK, note: `${name} counts as a lock without entries: ${reason}` };
  }
  throw new HugError('EHUG_LOCK_REVISION', `${name} is not a file, and ${reason}`, {
    hint:
      missing === 'revision'
        ? 'List revisions with: git log --oneline. A shallow clone needs: git fetch --unshallow'
        : 'Name two files, as in: nix-hug diff old.lock.json hug.lock.json',
  });
}
