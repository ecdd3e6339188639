import { describe, expect, it } from 'vitest';
import type { Manifest, ManifestEntry } from '../../src/manifest/schema.ts';
import { driftOf } from '../../src/resolve/drift.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const position = { line: 1, column: 1 };

const entry = (over: Partial<ManifestEntry> = {}): ManifestEntry => ({
  name: 'a',
  type: 'model',
  repo: 'org/name',
  want: { ref: 'main' },
  position,
  ...over,
});
const manifest = (...entries: ManifestEntry[]): Manifest => ({ entries });
const reasons = (wanted: Manifest, lock = lockOf({ a: lockedEntry() })) =>
  driftOf(wanted, lock).reasons.map(({ reason }) => reason);

describe('drift', () => {
  it('is empty for a lock that satisfies the manifest', () => {
    expect(driftOf(manifest(entry()), lockOf({ a: lockedEntry() }))).toEqual({
      stale: [],
      reasons: [],
    });
    const canonical = lockOf({
      a: lockedEntry({ repo: 'openai-community/gpt2', requested: 'gpt2' }),
    });
    expect(reasons(manifest(entry({ repo: 'gpt2' })), canonical)).toEqual([]);
    const ranged = lockOf({ a: lockedEntry({ version: '^1', ref: 'v1.2.0' }) });
    expect(reasons(manifest(entry({ want: { version: '^1' } })), ranged)).toEqual([]);
  });

  it.each<[string, ManifestEntry, string]>([
    ['repository', entry({ repo: 'org/other' }), 'repo changed from "org/name" to "org/other"'],
    ['ref', entry({ want: { ref: 'v1' } }), 'ref changed from "main" to "v1"'],
    ['range', entry({ want: { version: '^1' } }), 'version changed from none to "^1"'],
    ['include', entry({ select: { include: ['*'] } }), 'include changed from none to ["*"]'],
    ['exclude', entry({ select: { exclude: ['*'] } }), 'exclude changed from none to ["*"]'],
    ['files', entry({ select: { files: ['a'] } }), 'files changed from none to ["a"]'],
  ])('reports a changed %s', (_what, wanted, reason) => {
    expect(reasons(manifest(wanted))).toEqual([reason]);
    expect(driftOf(manifest(wanted), lockOf({ a: lockedEntry() })).stale).toEqual([wanted]);
  });

  it.each(['lock', 'warn', 'ignore'] as const)('ignores the mode %s of dependencies', (mode) => {
    expect(driftOf(manifest(entry({ dependencies: mode })), lockOf({ a: lockedEntry() }))).toEqual({
      stale: [],
      reasons: [],
    });
  });

  it('reports a range that became a ref, even the chosen tag', () => {
    const ranged = lockOf({ a: lockedEntry({ version: '^1', ref: 'v1.2.0' }) });
    expect(reasons(manifest(entry({ want: { ref: 'v1.2.0' } })), ranged)).toEqual([
      'version changed from "^1" to none',
    ]);
  });

  it('reports new and leftover entries, a changed type, and the endpoint', () => {
    const moved = manifest(entry({ name: 'b' }), entry({ type: 'dataset' }));
    expect(driftOf({ ...moved, endpoint: 'https://x' }, lockOf({ a: lockedEntry() }))).toEqual({
      stale: [entry({ name: 'b' }), entry({ type: 'dataset' })],
      reasons: [
        { entry: null, type: null, reason: 'endpoint changed from none to "https://x"' },
        { entry: 'b', type: 'model', reason: 'is not locked' },
        { entry: 'a', type: 'dataset', reason: 'is not locked' },
        { entry: 'a', type: 'model', reason: 'is not in the manifest any more' },
      ],
    });
  });
});
