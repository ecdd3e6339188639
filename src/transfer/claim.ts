import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { systemCodeOf } from '../errors.ts';

/**
 * Who works on a partial file stands in its name: `KEY.PID.UUID@HOST`, or `KEY.free` for nobody.
 * It changes hands by a rename, of which only one can succeed; so there is no lock to stay behind.
 */
const OWNED = /^\.(?<pid>\d+)\.[\da-f-]+@(?<host>.+)$/u;

/** Milliseconds without a write after which a process of another machine counts as ended. */
const SILENCE = 3_600_000;

/** A partial file that belongs to this process. */
export interface Claim {
  readonly path: string;
  /** Whether it was left behind by a process that ended; otherwise it is yet to be made. */
  readonly exists: boolean;
}

/**
 * Takes over a partial file that nobody works on, or finds a name for a new one. What other
 * processes work on is left alone: they and this one each make their own.
 *
 * @param folder made when missing
 * @param key of the content; a file name
 */
export async function claim(folder: string, key: string): Promise<Claim> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owner = `${process.pid}.${randomUUID()}@${encodeURIComponent(hostname())}`;
  const mine = path.join(folder, `${key}.${owner}`);
  for (const abandoned of await abandonedIn(folder, key)) {
    if (await succeeds(rename(abandoned, mine))) return { path: mine, exists: true };
  }
  return { path: mine, exists: false };
}

/** Leaves a claimed file to whoever wants it next. */
export async function release(claimed: string, key: string): Promise<void> {
  await rename(claimed, path.join(path.dirname(claimed), `${key}.free`));
}

/** Removes a claimed file, and what else was left behind of the same content. */
export async function removeAll(claimed: string, key: string): Promise<void> {
  const abandoned = await abandonedIn(path.dirname(claimed), key);
  for (const file of [claimed, ...abandoned]) await rm(file, { force: true });
}

/** PartialFile files of a content that nobody works on. */
async function abandonedIn(folder: string, key: string): Promise<string[]> {
  const abandoned: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${key}.`)) continue;
    const file = path.join(folder, name);
    if (await isAbandoned(file, name.slice(key.length))) abandoned.push(file);
  }
  return abandoned;
}

async function isAbandoned(file: string, suffix: string): Promise<boolean> {
  if (suffix === '.free') return true;
  const { pid, host } = OWNED.exec(suffix)?.groups ?? {};
  if (pid === undefined || host === undefined) return false;
  if (host === encodeURIComponent(hostname())) return !isRunning(Number(pid));
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
  return Date.now() - mtimeMs > SILENCE;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

/** Whether the file was still there for it. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
