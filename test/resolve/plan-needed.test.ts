import { describe, expect, it } from 'vitest';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import type { Edge } from '../../src/resolve/edges.ts';
import { type NeededState, planNeeded } from '../../src/resolve/plan-needed.ts';
import {
  isSameTaken,
  needsOf,
  selectionFor,
  takenBy,
  uniteTaken,
  uniteTakes,
} from '../../src/resolve/take.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const KEY = 'models/org/base@main';
const need = (repo: string, by = 'adapter_config.json') => ({ repo, ref: 'main', by });
const edge = (repo: string, take: Edge['take'], by = 'adapter_config.json'): Edge => ({
  repo,
  ref: 'main',
  by,
  key: 'base_model_name_or_path',
  take,
});
const lora = lockedEntry({ repo: 'org/lora', needs: [need('org/base')] });
const base = lockedEntry({ repo: 'org/base', select: { format: 'safetensors' } });

/** A plan for a manifest of `lora`, where its files were read. */
function plan(before: Lock, state: Partial<NeededState> = {}, text = 'models: { lora: org/lora }') {
  const edges = new Map([['models.lora', [edge('org/base', { kind: 'weights' })]]]);
  return planNeeded(parseManifest(text, 'hug.yaml'), {
    before,
    edges,
    settled: new Map(),
    moving: new Set(),
    ...state,
  });
}

const locked = (entry: LockedEntry) => lockOf({ lora }, { needed: new Map([[KEY, entry]]) });

describe('the plan for what entries need', () => {
  it('resolves what is not locked', () => {
    const { resolve, keep, read, lock } = plan(lockOf({ lora }));
    expect(resolve).toMatchObject([
      {
        name: KEY,
        type: 'model',
        repo: 'org/base',
        want: { ref: 'main' },
        key: 'base_model_name_or_path',
        taken: 'all',
        locked: undefined,
        isMoving: false,
        sameRef: [lora],
      },
    ]);
    expect([keep.size, read, lock.needed]).toEqual([0, [], undefined]);
  });

  it('keeps what is locked, and is done when that is settled', () => {
    const first = plan(locked(base));
    expect([first.resolve, [...first.keep.keys()]]).toEqual([[], [KEY]]);
    const settled = new Map([[KEY, { entry: base, taken: 'all' as const }]]);
    const second = plan(locked(base), { settled });
    expect([second.resolve, second.keep.size, second.read]).toEqual([[], 0, []]);
    expect(second.lock.needed).toEqual(new Map([[KEY, base]]));
  });

  it('drops what no entry needs any more', () => {
    const alone = lockedEntry({ repo: 'org/lora' });
    const { lock, resolve } = plan(lockOf({ lora: alone }, { needed: new Map([[KEY, base]]) }));
    expect([lock.needed, resolve]).toEqual([undefined, []]);
    const known = { entry: base, taken: 'all' as const };
    const settled = new Map([
      [KEY, known],
      ['models/org/old@main', known],
    ]);
    expect([...(plan(locked(base), { settled }).lock.needed?.keys() ?? [])]).toEqual([KEY]);
  });

  it('looks up anew what moves, once', () => {
    const moving = new Set([KEY]);
    expect(plan(locked(base), { moving }).resolve).toMatchObject([
      { isMoving: true, locked: base },
    ]);
    const settled = new Map([[KEY, { entry: base, taken: 'all' as const }]]);
    expect(plan(locked(base), { moving, settled }).resolve).toEqual([]);
  });

  it('resolves again for a wider selection, for code that is left out, and for another commit', () => {
    const narrow = lockedEntry({ repo: 'org/base', select: { exclude: ['*'] } });
    expect(plan(locked(narrow)).resolve).toMatchObject([{ taken: 'all', locked: narrow }]);
    const omit = 'policy: { remoteCode: omit }\nmodels: { lora: org/lora }';
    expect(plan(locked(base), {}, omit).resolve).toMatchObject([{ code: false }]);
    const exempt =
      'policy: { remoteCode: omit }\nmodels: { lora: { repo: org/lora, allow: [remoteCode] } }';
    expect(plan(locked(base), {}, exempt).resolve).toEqual([]);
    const twin = lockedEntry({ repo: 'org/base', requested: 'base', rev: 'd'.repeat(40) });
    const before = lockOf({ lora, twin }, { needed: new Map([[KEY, base]]) });
    expect(plan(before).resolve).toMatchObject([{ locked: base, sameRef: [lora, twin] }]);
  });

  it('asks for a date under minimumAge, and keeps one nowhere else', () => {
    const aged = 'policy: { minimumAge: 1d }\nmodels: { lora: org/lora }';
    const dated = { ...base, date: '2025-01-01T00:00:00.000Z' };
    expect(plan(locked(base), {}, aged).resolve).toMatchObject([{ minAge: 86_400_000 }]);
    expect(plan(locked(dated), {}, aged).keep.get(KEY)?.entry).toEqual(dated);
    expect(plan(locked(dated)).keep.get(KEY)?.entry).toEqual(base);
  });

  it('shares the commit of declared models at the same ref only', () => {
    const dev = lockedEntry({ repo: 'org/dev', ref: 'dev' });
    const rows = lockedEntry({ repo: 'org/rows' });
    const before = lockOf({ lora, dev }, { datasets: new Map([['rows', rows]]) });
    expect(plan(before).resolve).toMatchObject([{ sameRef: [lora] }]);
  });

  it('takes what names this repository at this ref, and nothing else', () => {
    const others = [
      edge('org/base', { kind: 'folder', folder: 'unet' }),
      edge('org/other', { kind: 'weights' }),
      { ...edge('org/base', { kind: 'weights' }), ref: 'v1' },
    ];
    const edges = new Map([['models.lora', others]]);
    expect(plan(lockOf({ lora }), { edges }).resolve).toMatchObject([{ taken: new Set(['unet']) }]);
  });

  it('reads files where nothing tells what they take', () => {
    const unread = plan(lockOf({ lora }), { edges: new Map() });
    expect(unread.read.map(({ name }) => name)).toEqual(['lora']);
    expect(unread.resolve).toEqual([]);
    // What is locked tells it.
    expect(plan(locked(base), { edges: new Map() })).toMatchObject({ read: [], resolve: [] });
  });

  it('unites what several entries take', () => {
    const pipe = lockedEntry({ repo: 'org/pipe', needs: [need('org/base', 'index.json')] });
    const edges = new Map([
      ['models.lora', [edge('org/base', { kind: 'folder', folder: 'unet' })]],
      ['models.pipe', [edge('org/base', { kind: 'folder', folder: 'vae' }, 'index.json')]],
    ]);
    const text = 'models: { lora: org/lora, pipe: org/pipe }';
    const { resolve } = plan(lockOf({ lora, pipe }), { edges }, text);
    expect(resolve).toMatchObject([{ taken: new Set(['unet', 'vae']) }]);
    const settled = new Map([[KEY, { entry: base, taken: new Set(['text']) }]]);
    expect(plan(lockOf({ lora, pipe }), { edges, settled }, text).resolve).toMatchObject([
      { taken: new Set(['unet', 'vae', 'text']) },
    ]);
  });
});

describe('what is taken', () => {
  const folder = (name: string) => ({ kind: 'folder' as const, folder: name });

  it('is everything for weights, and for folders that a glob cannot name', () => {
    expect(uniteTakes([{ kind: 'code' }, folder('a')])).toEqual(new Set(['a']));
    expect(uniteTakes([{ kind: 'code' }])).toEqual(new Set());
    expect(uniteTakes([folder('a'), { kind: 'weights' }])).toBe('all');
    for (const name of ['a*', 'b[c', 'd,e', 'f{g}', '!h']) {
      expect(uniteTakes([folder(name)])).toBe('all');
    }
  });

  it('unites', () => {
    const one = new Set(['a']);
    expect(uniteTaken(one, new Set(['b']))).toEqual(new Set(['a', 'b']));
    expect([uniteTaken('all', one), uniteTaken(one, 'all')]).toEqual(['all', 'all']);
    expect(isSameTaken(one, new Set(['a']))).toBe(true);
    expect(isSameTaken(one, new Set(['b']))).toBe(false);
    expect([isSameTaken('all', 'all'), isSameTaken('all', one)]).toEqual([true, false]);
  });

  it('is written as a selection, and read from it', () => {
    const files = [
      { path: 'config.json' },
      { path: 'unet/w.safetensors', lfs: {} },
      { path: 'plain/config.json' },
    ];
    expect(selectionFor('all', files)).toEqual({ format: 'safetensors' });
    expect(selectionFor('all', [{ path: 'w.bin', lfs: {} }])).toBeUndefined();
    expect(selectionFor(new Set(), files)).toEqual({ exclude: ['*'] });
    expect(selectionFor(new Set(['plain']), files)).toEqual({ exclude: ['*'] });
    expect(selectionFor(new Set(['unet', 'plain']), files)).toEqual({ include: ['unet/'] });
    expect(takenBy({ include: ['unet/', 'vae/'] })).toEqual(new Set(['unet', 'vae']));
    expect(takenBy({ exclude: ['*'] })).toEqual(new Set());
    expect([takenBy(undefined), takenBy({ format: 'safetensors' })]).toEqual(['all', 'all']);
  });

  it('is named once for each repository, ref and file', () => {
    const twice = [edge('a/b', { kind: 'code' }), edge('a/b', { kind: 'weights' })];
    expect(needsOf(twice)).toEqual({ needs: [need('a/b')] });
    expect(needsOf([])).toEqual({});
  });
});
