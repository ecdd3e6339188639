import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { HugError, systemCodeOf } from '../errors.ts';
import { succeedsUnless } from '../failures.ts';
import { makeFolders } from '../make-folders.ts';

/**
 * What follows the key in the name of a file that a process works on: `KEY.<uuid>.part`. `KEY.part`
 * is free. A lease changes hands by a rename, of which only one can succeed, so no lock stays behind.
 */
const HELD = /^\.[\da-f-]{36}\.part$/u;

/**
 * The holder touches its file every ten seconds. After a minute of silence the next process takes it
 * over. So a run in the minute after a `kill -9` does not resume what that ended: it makes a file of
 * its own, and a later run takes over the silent one.
 */
const HEARTBEAT_MS = 10_000;
const SILENCE_MS = 60_000;

/** Leases of this process by path, and when each was last touched; 0 when its file was missing. */
const held = new Map<string, number>();

let heartbeat: NodeJS.Timeout | undefined;

/**
 * Takes over a file or folder that is free or silent, or finds a name for a new one. Those that
 * other processes hold are left alone: each process makes its own.
 *
 * @param folder made when missing
 * @param key of the content; a file name
 * @returns its path, and whether an earlier process left it; otherwise the caller makes it
 */
export async function acquireLease(
  folder: string,
  key: string,
): Promise<{ readonly path: string; readonly exists: boolean }> {
  await makeFolders(folder, 0o700);
  const mine = path.join(folder, `${key}.${randomUUID()}.part`);
  held.set(mine, 0);
  const renewAll = () => held.forEach((_, file) => void renew(file));
  heartbeat ??= setInterval(renewAll, HEARTBEAT_MS).unref();
  for (const abandoned of await abandonedIn(folder, key)) {
    // Touched before, so that it is not silent under its new name.
    const take = () => touch(abandoned).then(() => rename(abandoned, mine));
    if (await succeedsUnless(NOT_OURS, take)) return { path: mine, exists: true };
  }
  return { path: mine, exists: false };
}

/**
 * Makes sure, before a write, that a file still belongs to this process, which may have been
 * suspended for longer than a minute.
 *
 * @throws HugError `EHUG_FILE_SYSTEM` when the file was taken over or removed
 */
export async function confirmLease(file: string): Promise<void> {
  const isRecent = Date.now() - (held.get(file) ?? 0) < SILENCE_MS / 2;
  if (isRecent || (await renew(file))) return;
  throw new HugError('EHUG_FILE_SYSTEM', `another process took over or removed ${file}`, {
    hint: 'Run it again.',
  });
}

/** Ends a lease: the next process that wants the file takes it over at once. */
export async function releaseLease(file: string, key: string): Promise<void> {
  const free = path.join(path.dirname(file), `${key}.part`);
  await succeedsUnless(NOT_OURS, () => rename(file, free));
  held.delete(file);
}

/** Removes a file or folder of this process, and those of the same key that are free or silent. */
export async function removeAll(file: string, key: string): Promise<void> {
  const abandoned = await abandonedIn(path.dirname(file), key);
  await rm(file, { recursive: true, force: true });
  for (const other of abandoned) {
    await succeedsUnless(NOT_OURS, () => rm(other, { recursive: true, force: true }));
  }
  held.delete(file);
}

async function abandonedIn(folder: string, key: string): Promise<string[]> {
  const abandoned: string[] = [];
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (name === `${key}.part`) abandoned.push(file);
    if (!name.startsWith(key) || !HELD.test(name.slice(key.length)) || held.has(file)) continue;
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > SILENCE_MS) abandoned.push(file);
  }
  return abandoned;
}

/** Touches a file of this process, and returns whether it is there. */
async function renew(file: string): Promise<boolean> {
  const now = Date.now();
  const isMissing = await touch(file).then(
    () => false,
    (error: unknown) => systemCodeOf(error) === 'ENOENT',
  );
  if (held.has(file)) held.set(file, isMissing ? 0 : now);
  return !isMissing;
}

const touch = (file: string): Promise<void> => utimes(file, new Date(), new Date());

/** Error codes of a file that is gone, or belongs to another user. */
const NOT_OURS = ['ENOENT', 'EACCES', 'EPERM'];
