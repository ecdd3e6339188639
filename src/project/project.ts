import path from 'node:path';
import { type FileChange, replaceFiles } from '../atomic-file.ts';
import { HugError } from '../errors.ts';
import { parseLock } from '../lock/codec.ts';
import { hasConflictMarkers } from '../lock/conflict.ts';
import { namedEntries, placeOf } from '../lock/entries.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import type { Lock } from '../lock/schema.ts';
import { locateManifest, readManifest, SEARCH_PLACES } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import { driftOf } from '../resolve/drift.ts';
import type { CommandContext } from './context.ts';

/** What says which project a command is about. */
export type ProjectContext = Pick<CommandContext, 'cwd' | 'manifest' | 'endpoint'>;

/** A manifest as its file stands. */
interface FoundManifest {
  readonly manifest: Manifest;
  readonly manifestPath: string;
  /** The path of the manifest for a message. */
  readonly manifestName: string;
  /** Content of the manifest, without a byte order mark. */
  readonly manifestText: string;
  /** Whether there is no such file yet. */
  readonly isNew: boolean;
}

/** A project as its files stand. */
export interface Project extends FoundManifest {
  readonly lockPath: string;
  /** The path of the lock for a message. */
  readonly lockName: string;
  /** Content of the lock; `undefined` when there is none. */
  readonly lockText: string | undefined;
  /**
   * The lock as it is, parsed once; `undefined` when there is none.
   *
   * @throws HugError `EHUG_LOCK_CONFLICT`, and those of `parseLock`
   */
  readonly lock: () => Lock | undefined;
}

/**
 * Finds a project, and reads its manifest and the text of its lock.
 *
 * @throws HugError those of the readers of both
 */
export const readProject = (context: ProjectContext): Project =>
  withLock(findManifest(context), context);

/**
 * The same for a command that may begin a project: where there is no manifest, the project has the text
 * of the template, which is not written yet. A lock without its manifest is no place to begin.
 *
 * @throws HugError those of `readProject`
 */
export function readOrBeginProject(context: CommandContext): Project {
  const manifestPath = path.join(context.cwd, 'hug.yaml');
  const isBegun = readLockText(lockPathOf(manifestPath)) !== undefined;
  const found = isBegun ? readProject(context) : ifAny(context, () => readProject(context));
  return found ?? beginProject(manifestPath, context);
}

/** A project with the text of the template, which is not written yet. */
export function beginProject(manifestPath: string, context: CommandContext): Project {
  const lockName = path.basename(lockPathOf(manifestPath));
  const template = readManifest(path.join(context.templateFolder, 'hug.yaml'));
  const text = template.replaceAll('hug.lock.json', lockName);
  return withLock({ ...parsed(text, manifestPath, context), isNew: true }, context);
}

function withLock(found: FoundManifest, context: ProjectContext): Project {
  const lockPath = lockPathOf(found.manifestPath);
  const lockName = displayPath(lockPath, context);
  const lockText = readLockText(lockPath);
  let lock: Lock | undefined;
  return {
    ...found,
    lockPath,
    lockName,
    lockText,
    lock: () => (lock ??= lockText === undefined ? undefined : wholeLock(lockText, lockName)),
  };
}

/**
 * The lock of a project, current or not.
 *
 * @throws HugError `EHUG_LOCK_MISSING`, `EHUG_LOCK_CONFLICT`, and those of `parseLock`
 */
export function requireLock({ lock, lockName }: Project): Lock {
  const found = lock();
  if (found === undefined) throw missingLock(lockName);
  return found;
}

/** The error of a lock that is not there. */
export const missingLock = (lockName: string): HugError =>
  new HugError('EHUG_LOCK_MISSING', `there is no ${lockName}`, {
    hint: 'Make it with: nix-hug lock',
  });

/**
 * Reads the lock for a command that works from it as it is, and warns when the manifest asks for
 * another. There need not be a manifest, as in a container.
 *
 * @param names entries that the user names
 * @throws HugError those of `readProject` and `requireLock`; `EHUG_ENTRY_UNKNOWN` with all names that
 *   the manifest has and the lock has not
 */
export function readLock(context: CommandContext, names: readonly string[]): Lock {
  const project = readProjectOrLock(context);
  if (!('manifest' in project)) return project.lock;
  const { manifest, lockName } = project;
  const lock = requireLock(project);
  const isNamed = (name: string) => (entry: { type: RepoType; name: string }) =>
    entry.name === name || placeOf(entry) === name;
  const [unlocked, ...others] = names.filter(
    (name) => manifest.entries.some(isNamed(name)) && !namedEntries(lock).some(isNamed(name)),
  );
  if (unlocked !== undefined) {
    throw new HugError('EHUG_ENTRY_UNKNOWN', `${unlocked} is not locked yet`, {
      details: others.map((name) => `${name} is not locked yet`),
      hint: 'Run nix-hug lock.',
    });
  }
  if (driftOf(manifest, lock).reasons.length > 0) {
    context.warn(`${lockName} is out of date and used as it is; nix-hug lock --check says why`);
  }
  return lock;
}

/**
 * Reads the lock for a command that needs a current one. Without a manifest, as in a container, every lock
 * is.
 *
 * @throws HugError `EHUG_LOCK_STALE`; those of `readProject` and `requireLock`
 */
export function readCurrentLock(context: ProjectContext): LockWithText {
  const project = readProjectOrLock(context);
  if (!('manifest' in project)) return project;
  const { manifest, lockName, lockText = '' } = project;
  const lock = requireLock(project);
  const { reasons } = driftOf(manifest, lock);
  if (reasons.length === 0) return { lock, lockText };
  const details = reasons.map(({ entry: name, type, reason }) =>
    name === null || type === null ? reason : `${placeOf({ name, type })}: ${reason}`,
  );
  const hint = 'Run nix-hug lock.';
  throw new HugError('EHUG_LOCK_STALE', `${lockName} is out of date`, { details, hint });
}

/** A lock, and the text that it was read from. */
interface LockWithText {
  readonly lock: Lock;
  readonly lockText: string;
}

function readProjectOrLock(context: ProjectContext): Project | LockWithText {
  try {
    return readProject(context);
  } catch (error) {
    const found = isManifestMissing(error) ? lockWithoutManifest(context) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/**
 * The manifest, for what need not be in it. There need not be one, unless the user names it.
 *
 * @throws HugError those of the reader of the manifest
 */
export const readManifestIfAny = (context: ProjectContext): Manifest | undefined =>
  ifAny(context, () => findManifest(context).manifest);

/**
 * The lock of a project, for what need not be in it. There need not be a manifest, unless the user
 * names one.
 *
 * @throws HugError those of `readProject`
 */
export const readLockIfAny = (context: ProjectContext): Lock | undefined =>
  ifAny(context, () => readProject(context).lock());

/**
 * Where the lock of a project lies, whether it is there or not. The manifest is not read, and there
 * need not be one beside the lock.
 *
 * @throws HugError those of `locateManifest`
 */
export function locateLock(context: ProjectContext): { lockPath: string; lockName: string } {
  let lockPath: string;
  try {
    lockPath = lockPathOf(locateManifest(context));
  } catch (error) {
    const alone = isManifestMissing(error) ? lockFileWithoutManifest(context) : undefined;
    if (alone === undefined) throw error;
    lockPath = alone.file;
  }
  return { lockPath, lockName: displayPath(lockPath, context) };
}

function ifAny<T>({ manifest }: ProjectContext, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (manifest === undefined && isManifestMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Writes a manifest and its lock, those of them that changed: both or none. The lock is put in place first: should the
 * process be killed between the two, then `lock --check` names the difference, and the same command
 * run again completes it.
 *
 * @param project as it was read
 * @param manifest new text of the manifest
 * @param lock new text of the lock; `undefined` leaves it as it is
 * @throws HugError `EHUG_MANIFEST_CHANGED`, `EHUG_LOCK_CHANGED`, `EHUG_FILE_SYSTEM`,
 *   `EHUG_LOCK_NOT_A_FILE`
 */
export async function writeProject(
  { manifestPath, manifestText, isNew, lockPath, lockText }: Project,
  manifest: string,
  lock: string | undefined,
): Promise<void> {
  const before = isNew ? undefined : manifestText;
  const changes: FileChange[] = [
    ...(manifest === before
      ? []
      : [{ file: manifestPath, before, after: manifest, kind: 'manifest' as const }]),
    ...(lock === undefined
      ? []
      : [{ file: lockPath, before: lockText, after: lock, kind: 'lock' as const }]),
  ];
  await replaceFiles(changes);
}

function findManifest(context: ProjectContext): FoundManifest {
  const manifestPath = locateManifest(context);
  return parsed(readManifest(manifestPath), manifestPath, context);
}

function parsed(
  manifestText: string,
  manifestPath: string,
  context: ProjectContext,
): FoundManifest {
  const manifestName = displayPath(manifestPath, context);
  const manifest = parseManifest(manifestText, manifestName, { endpoint: context.endpoint });
  return { manifest, manifestPath, manifestName, manifestText, isNew: false };
}

const isManifestMissing = (error: unknown): boolean =>
  error instanceof HugError && error.code === 'EHUG_MANIFEST_MISSING';

/** The lock of the manifest that the user names; else the nearest one from the working directory upward. */
function lockWithoutManifest(context: ProjectContext): LockWithText | undefined {
  const found = lockFileWithoutManifest(context);
  if (found === undefined) return undefined;
  const { file, lockText } = found;
  return { lock: wholeLock(lockText, displayPath(file, context)), lockText };
}

function lockFileWithoutManifest({ cwd, manifest }: ProjectContext) {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    for (const place of manifest === undefined ? SEARCH_PLACES : [manifest]) {
      const file = lockPathOf(path.resolve(folder, place));
      const lockText = readLockText(file);
      if (lockText !== undefined) return { file, lockText };
    }
    if (manifest !== undefined || folder === path.dirname(folder)) return undefined;
  }
}

/** A path for a message. */
const displayPath = (file: string, { cwd }: ProjectContext): string =>
  path.relative(cwd, file) || file;

/**
 * Reads the text of a lock.
 *
 * @param file its name, for messages
 * @throws HugError `EHUG_LOCK_CONFLICT`, and those of `parseLock`
 */
export function wholeLock(text: string, file: string): Lock {
  if (hasConflictMarkers(text)) {
    throw new HugError('EHUG_LOCK_CONFLICT', `${file} has conflict markers`, {
      hint: 'Run nix-hug lock, which repairs it.',
    });
  }
  return parseLock(text, file);
}
