import type { Lock, LockedEntry, LockedFile } from '../../src/lock/schema.ts';

/** A locked file with made-up digests that differ with the seed. */
export function lockedFile(seed = 'a', over: Partial<LockedFile> = {}): LockedFile {
  const hash = `sha256-${Buffer.alloc(32, seed).toString('base64')}`;
  return { size: 3, hash, oid: Buffer.alloc(20, seed).toString('hex'), ...over };
}

/** A locked entry of one plain file. */
export function lockedEntry(over: Partial<LockedEntry> = {}): LockedEntry {
  return {
    repo: 'org/name',
    ref: 'main',
    rev: 'c'.repeat(40),
    files: new Map([['config.json', lockedFile()]]),
    ...over,
  };
}

/** A lock of models only. */
export function lockOf(models: Record<string, LockedEntry>, over: Partial<Lock> = {}): Lock {
  return {
    lockfileVersion: 2,
    models: new Map(Object.entries(models)),
    datasets: new Map(),
    ...over,
  };
}
