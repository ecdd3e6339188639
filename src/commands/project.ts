import path from 'node:path';
import { HugError } from '../errors.ts';
import { parseLock } from '../lock/codec.ts';
import { hasConflictMarkers } from '../lock/conflict.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import type { Lock } from '../lock/schema.ts';
import { locateManifest, readManifest } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import { driftOf } from '../resolve/drift.ts';

/** What says which project a command is about. */
export interface ProjectContext {
  readonly cwd: string;
  /** `--manifest`. */
  readonly manifest?: string | undefined;
  /** `HF_ENDPOINT`. */
  readonly endpoint?: string | undefined;
}

/** The lock of a project. */
export interface LockedProject {
  readonly lock: Lock;
  /** Why the lock is not what the manifest asks for any more. */
  readonly warnings: readonly string[];
}

/**
 * Reads the lock for a command that works from it as it is.
 *
 * @throws HugError `EHUG_LOCK_MISSING`, `EHUG_LOCK_CONFLICT`, and those of the readers of manifest and lock
 */
export async function readLockedProject(context: ProjectContext): Promise<LockedProject> {
  const manifestPath = await locateManifest(context);
  const shown = (file: string) => path.relative(context.cwd, file) || file;
  const manifest = parseManifest(await readManifest(manifestPath), shown(manifestPath), {
    endpoint: context.endpoint,
  });
  const lockPath = lockPathOf(manifestPath);
  const text = await readLockText(lockPath);
  if (text === undefined) {
    throw new HugError('EHUG_LOCK_MISSING', `there is no ${shown(lockPath)}`, {
      hint: 'Make it with: nix-hug lock',
    });
  }
  if (hasConflictMarkers(text)) {
    throw new HugError('EHUG_LOCK_CONFLICT', `${shown(lockPath)} has conflict markers`, {
      hint: 'Run nix-hug lock, which repairs it.',
    });
  }
  const lock = parseLock(text, shown(lockPath));
  const isCurrent = driftOf(manifest, lock).reasons.length === 0;
  return {
    lock,
    warnings: isCurrent
      ? []
      : [`${shown(lockPath)} is out of date and used as it is; nix-hug lock --check says why`],
  };
}
