import path from 'node:path';
import { HugError } from '../errors.ts';
import { parseLock } from '../lock/codec.ts';
import { hasConflictMarkers } from '../lock/conflict.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import type { Lock } from '../lock/schema.ts';
import { locateManifest, readManifest } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Manifest } from '../manifest/schema.ts';
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
}

/** A project as its files stand. */
export interface Project extends FoundManifest {
  readonly lockPath: string;
  /** The path of the lock for a message. */
  readonly lockName: string;
  /** Content of the lock; `undefined` when there is none. */
  readonly lockText: string | undefined;
}

/** A project that is locked. */
export interface LockedProject extends Project {
  readonly lock: Lock;
}

/**
 * Finds a project, and reads its manifest and the text of its lock.
 *
 * @throws HugError those of the readers of both
 */
export function readProject(context: ProjectContext): Project {
  const found = findManifest(context);
  const lockPath = lockPathOf(found.manifestPath);
  const lockText = readLockText(lockPath);
  return { ...found, lockPath, lockName: shown(lockPath, context), lockText };
}

/**
 * The address of the Hub that the manifest names, for what is not in the manifest. There need not be
 * a manifest, unless the user names one.
 *
 * @returns `undefined` where there is none, or it names no address
 * @throws HugError those of the reader of the manifest
 */
export function endpointOfManifest(context: ProjectContext): string | undefined {
  try {
    return findManifest(context).manifest.endpoint;
  } catch (error) {
    if (context.manifest === undefined && isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof HugError && error.code === 'EHUG_MANIFEST_MISSING';

function findManifest(context: ProjectContext): FoundManifest {
  const manifestPath = locateManifest(context);
  const manifestName = shown(manifestPath, context);
  const manifestText = readManifest(manifestPath);
  const manifest = parseManifest(manifestText, manifestName, { endpoint: context.endpoint });
  return { manifest, manifestPath, manifestName, manifestText };
}

/** A path for a message. */
const shown = (file: string, { cwd }: ProjectContext): string => path.relative(cwd, file) || file;

/**
 * Reads the lock for a command that works from it as it is, and warns when the manifest asks for
 * another.
 *
 * @throws HugError those of `readLockedProject`
 */
export async function readLock(
  context: ProjectContext & Pick<CommandContext, 'warn'>,
): Promise<Lock> {
  const { manifest, lock, lockName } = await readLockedProject(context);
  if (driftOf(manifest, lock).reasons.length > 0) {
    context.warn(`${lockName} is out of date and used as it is; nix-hug lock --check says why`);
  }
  return lock;
}

/**
 * Finds a project that has a lock, current or not.
 *
 * @throws HugError `EHUG_LOCK_MISSING`, `EHUG_LOCK_CONFLICT`, and those of the readers of manifest and lock
 */
export async function readLockedProject(context: ProjectContext): Promise<LockedProject> {
  const project = readProject(context);
  const lock = lockOf(project);
  if (lock !== undefined) return { ...project, lock };
  throw new HugError('EHUG_LOCK_MISSING', `there is no ${project.lockName}`, {
    hint: 'Make it with: nix-hug lock',
  });
}

/**
 * The lock of a project as it is; `undefined` when there is none.
 *
 * @throws HugError `EHUG_LOCK_CONFLICT`, and those of the reader
 */
export function lockOf({ lockName, lockText }: Project): Lock | undefined {
  if (lockText === undefined) return undefined;
  if (hasConflictMarkers(lockText)) {
    throw new HugError('EHUG_LOCK_CONFLICT', `${lockName} has conflict markers`, {
      hint: 'Run nix-hug lock, which repairs it.',
    });
  }
  return parseLock(lockText, lockName);
}
