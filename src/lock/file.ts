import { randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type StagedFile, stageFile } from '../atomic-file.ts';
import { HugError, messageOf } from '../errors.ts';

const LOCK_NAME = 'hug.lock.json';

/** Where the lock of a manifest lies: beside it. */
export const lockPathOf = (manifestPath: string): string =>
  path.join(path.dirname(manifestPath), LOCK_NAME);

/**
 * The text of a lock, or `undefined` when there is none. It may be behind a symbolic link, which is
 * in the way only where a lock is written.
 *
 * @throws HugError `EHUG_LOCK_NOT_A_FILE` for a folder or a link that leads nowhere,
 *   `EHUG_FILE_SYSTEM`
 */
export function readLockText(file: string): string | undefined {
  try {
    const leadsToFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    return leadsToFile || modeOf(file) !== undefined ? readFileSync(file, 'utf8') : undefined;
  } catch (error) {
    throw cannot('read', file, error);
  }
}

/**
 * Replaces a lock in one step: a reader sees the old text or the new one, also after a crash.
 *
 * @param before the text that the new one was made from; `undefined` when there was none
 * @throws HugError `EHUG_LOCK_CHANGED` when the file is neither `before` nor `text` any more;
 *   `EHUG_LOCK_NOT_A_FILE`, `EHUG_FILE_SYSTEM`; the file is untouched then
 */
export async function writeLockText(
  file: string,
  before: string | undefined,
  text: string,
): Promise<void> {
  const staged = await stageLockText(file, before, text);
  try {
    await staged.commit();
  } finally {
    await staged.discard();
  }
}

/**
 * As `writeLockText`, in two steps: the old lock stays until `commit`.
 *
 * @throws HugError as `writeLockText`, in both steps
 */
export async function stageLockText(
  file: string,
  before: string | undefined,
  text: string,
): Promise<StagedFile> {
  const suffix = randomBytes(6).toString('hex');
  const temporary = path.join(path.dirname(file), `.${LOCK_NAME}.${suffix}.tmp`);
  try {
    const { commit, discard } = await stageFile(file, temporary, text, modeOf(file));
    try {
      refuseOther(file, readLockText(file), [before, text]);
    } catch (error) {
      await discard();
      throw error;
    }
    return {
      commit: () =>
        commit().catch((error: unknown) => {
          throw cannot('write', file, error);
        }),
      discard,
    };
  } catch (error) {
    throw cannot('write', file, error);
  }
}

/**
 * Puts a lock back as it was.
 *
 * @param written what it is now
 * @param text its former content; `undefined` when there was none
 * @throws HugError as `writeLockText`
 */
export async function restoreLockText(
  file: string,
  written: string,
  text: string | undefined,
): Promise<void> {
  if (text !== undefined) return writeLockText(file, written, text);
  await rm(file, { force: true }).catch((error: unknown) => {
    throw cannot('write', file, error);
  });
}

/** A process that was quicker has its lock kept. */
function refuseOther(
  file: string,
  found: string | undefined,
  expected: readonly (string | undefined)[],
): void {
  if (expected.includes(found)) return;
  throw new HugError('EHUG_LOCK_CHANGED', `${file} changed while nix-hug was at work`, {
    hint: 'Nothing was written. Run it again.',
  });
}

/** Permission bits of a regular file, `undefined` when nothing is there. */
function modeOf(file: string): number | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) {
    throw new HugError(
      'EHUG_LOCK_NOT_A_FILE',
      `${file} is ${stats.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`,
      { hint: 'Nothing was written. Move it away, then run nix-hug lock.' },
    );
  }
  return stats === undefined ? undefined : stats.mode & 0o777;
}

function cannot(verb: 'read' | 'write', file: string, error: unknown): HugError {
  if (error instanceof HugError) return error;
  return new HugError('EHUG_FILE_SYSTEM', `cannot ${verb} ${file}: ${messageOf(error)}`, {
    hint:
      verb === 'read' ? 'Check that you may read it.' : 'Check that you may write to its folder.',
    cause: error,
  });
}
