import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readlink, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { systemCodeOf } from '../errors.ts';

/**
 * Who works on a partial file stands in its name: `KEY.PID.UUID@PLACE`, or `KEY.free` for nobody.
 * It changes hands by a rename, of which only one can succeed; so there is no lock to stay behind.
 */
const OWNED = /^\.(?<pid>\d+)\.[\da-f-]+@(?<place>.+)$/u;

/**
 * Milliseconds without a sign of life, the time of the last change, after which an owner counts as
 * ended: it may be on another machine or in another container, or its process id may be that of
 * another program by now.
 */
const SILENCE = 3_600_000;

/**
 * Paths by name of what this process works on. Its id in a name says little: in a container each
 * run may have the same one.
 */
const ours = new Map<string, string>();

/** Has an owner that only reads or waits not look silent. */
let heartbeat: NodeJS.Timeout | undefined;

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
export async function acquireLease(folder: string, key: string): Promise<Claim> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = `${key}.${process.pid}.${randomUUID()}@${await placeOfIds()}`;
  const mine = path.join(folder, name);
  ours.set(name, mine);
  heartbeat ??= setInterval(touchOurs, SILENCE / 6).unref();
  for (const abandoned of await abandonedIn(folder, key)) {
    if (await succeeds(take(abandoned, mine))) return { path: mine, exists: true };
  }
  return { path: mine, exists: false };
}

/** Leaves a claimed file to whoever wants it next. */
export async function release(claimed: string, key: string): Promise<void> {
  await rename(claimed, path.join(path.dirname(claimed), `${key}.free`));
  ours.delete(path.basename(claimed));
}

/**
 * Removes a claimed file or folder, and what else was left behind of the same content, unless it is
 * of somebody who does not allow it.
 */
export async function removeAll(claimed: string, key: string): Promise<void> {
  const abandoned = await abandonedIn(path.dirname(claimed), key);
  const remove = (file: string) => rm(file, { recursive: true, force: true });
  await remove(claimed);
  for (const file of abandoned) await succeeds(remove(file));
  ours.delete(path.basename(claimed));
}

/** Partial files of a content that nobody works on. */
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
  const { pid, place } = OWNED.exec(suffix)?.groups ?? {};
  if (pid === undefined || ours.has(path.basename(file))) return false;
  if (place === (await placeOfIds())) {
    if (Number(pid) === process.pid || !isRunning(Number(pid))) return true;
  }
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
  return Date.now() - mtimeMs > SILENCE;
}

/**
 * Where a process id means one process: the machine, and where Linux tells it the pid namespace.
 * Containers may share a host name, and in each the ids begin at 1. A boot is not told apart, so that
 * what a power failure ended is taken up at once.
 */
const placeOfIds = (): Promise<string> => (place ??= findPlace());

let place: Promise<string> | undefined;

async function findPlace(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  const places = [hostname(), namespace.replaceAll(/\D/gu, '')];
  return places.filter(Boolean).map(encodeURIComponent).join('+');
}

/** Renames a file that may be old, so that it does not look silent under its new name. */
async function take(abandoned: string, mine: string): Promise<void> {
  await touch(abandoned);
  await rename(abandoned, mine);
}

function touchOurs(): void {
  // One that is not made yet, or gone by now, needs it no more.
  for (const file of ours.values()) void touch(file).catch(() => undefined);
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

/** What the system says of a file that is gone, or of another user. */
const NOT_OURS: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EPERM']);

/** Whether the file was still there for it, and this user may do it. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (NOT_OURS.has(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
}
