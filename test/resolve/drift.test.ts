import { describe, expect, it } from 'vitest';
import type { Manifest, ManifestEntry } from '../../src/manifest/schema.ts';
import { driftOf, isUndated } from '../../src/resolve/drift.ts';
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

  it.each<[string, Partial<ManifestEntry>, string]>([
    ['format', { select: { format: 'gguf' } }, 'format changed from none to "gguf"'],
    ['variant', { select: { variant: 'fp16' } }, 'variant changed from none to "fp16"'],
    ['quant', { select: { quant: 'Q8_0' } }, 'quant changed from none to "Q8_0"'],
    ['code', { code: false }, 'code changed from none to false'],
  ])('reports a changed %s', (_what, over, reason) => {
    expect(reasons(manifest(entry(over)))).toEqual([reason]);
  });

  it('reports changed groups, which need no Hub', () => {
    const grouped = lockOf({ a: lockedEntry({ groups: ['gpu'] }) });
    expect(driftOf(manifest(entry({ groups: ['ci'] })), grouped)).toEqual({
      stale: [],
      reasons: [{ entry: 'a', type: 'model', reason: 'groups changed from ["gpu"] to ["ci"]' }],
    });
    expect(reasons(manifest(entry({ groups: ['gpu'] })), grouped)).toEqual([]);
    expect(reasons(manifest(entry({ groups: ['gpu'] })))).toEqual([
      'groups changed from none to ["gpu"]',
    ]);
  });
});

const aged = entry({ minAge: 48 * 3_600_000 });

describe('drift of dates', () => {
  const dated = lockOf({ a: lockedEntry({ date: '2024-01-01T00:00:00Z' }) });

  it('is a date that minimumAge needs and the lock does not have', () => {
    expect(reasons(manifest(aged))).toEqual(['has no date, which minimumAge needs']);
    expect(driftOf(manifest(aged), lockOf({ a: lockedEntry() })).stale).toEqual([aged]);
    expect(reasons(manifest(aged), dated)).toEqual([]);
  });

  it('is a date that nothing needs', () => {
    expect(driftOf(manifest(entry()), dated)).toEqual({
      stale: [],
      reasons: [{ entry: 'a', type: 'model', reason: 'has a date, which only minimumAge needs' }],
    });
  });

  it('is all of it where an entry lacks nothing but the date', () => {
    expect(isUndated(lockedEntry(), aged)).toBe(true);
    expect(isUndated(lockedEntry(), entry())).toBe(false);
    expect(isUndated(lockedEntry({ date: '2024-01-01T00:00:00Z' }), aged)).toBe(false);
    expect(isUndated(lockedEntry({ ref: 'dev' }), aged)).toBe(false);
  });
});

describe('drift of what entries need', () => {
  const by = 'config.json';
  const base = { repo: 'org/base', ref: 'main', by };
  const lora = lockedEntry({ needs: [base] });
  const needed = (over = {}) =>
    new Map([['models/org/base@main', lockedEntry({ repo: 'org/base', ...over })]]);

  it('is empty when exactly that is locked', () => {
    expect(reasons(manifest(entry()), lockOf({ a: lora }, { needed: needed() }))).toEqual([]);
  });

  it('is a repository that is not locked', () => {
    expect(driftOf(manifest(entry()), lockOf({ a: lora }))).toEqual({
      stale: [],
      reasons: [
        {
          entry: 'a',
          type: 'model',
          reason: 'needs org/base at main, which is not locked (config.json)',
        },
      ],
    });
  });

  it.each([
    ['no entry needs', lockOf({ a: lockedEntry() }, { needed: needed() })],
    ['an entry needed that is gone', lockOf({ gone: lora }, { needed: needed() })],
  ])('is a repository that %s', (_, lock) => {
    expect(driftOf(manifest(entry()), lock).reasons).toContainEqual({
      entry: null,
      type: null,
      reason: 'needed.models/org/base@main: no entry needs it any more',
    });
  });

  it('is a date that it lacks, or that nothing needs', () => {
    const date = '2024-01-01T00:00:00Z';
    const agedLora = { ...lora, date };
    expect(
      reasons(
        { ...manifest(aged), policy: { minimumAge: '2d' } },
        lockOf({ a: agedLora }, { needed: needed() }),
      ),
    ).toEqual(['needed.models/org/base@main: has no date, which minimumAge needs']);
    expect(reasons(manifest(entry()), lockOf({ a: lora }, { needed: needed({ date }) }))).toEqual([
      'needed.models/org/base@main: has a date, which only minimumAge needs',
    ]);
  });
});
