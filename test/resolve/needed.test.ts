import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import { createNeedIndex } from '../../src/lock/needs.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import {
  allReached,
  doWithout,
  entriesOfMode,
  isExempt,
  MAX_NEEDED,
  minAgeOf,
  needsFound,
  reachedFrom,
  rootOf,
  wayTo,
} from '../../src/resolve/needed.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const need = (repo: string, ref = 'main', by = 'config.json') => ({ repo, ref, by });
const needing = (repo: string, ...needs: ReturnType<typeof need>[]): LockedEntry =>
  lockedEntry({ repo, ...(needs.length === 0 ? {} : { needs }) });
const keyed = (...entries: LockedEntry[]) =>
  new Map(entries.map((entry) => [`models/${entry.repo}@${entry.ref}`, entry]));
const manifestOf = (text: string) => parseManifest(text, 'hug.yaml');

function reached(lock: Lock, name = 'a') {
  const root = namedEntries(lock).find((named) => named.name === name);
  if (root === undefined) throw new Error(name);
  return reachedFrom(root, createNeedIndex(lock));
}

describe('what an entry needs', () => {
  const lock = lockOf(
    { a: needing('org/a', need('org/b'), need('org/own')), own: needing('org/own', need('org/x')) },
    {
      needed: keyed(
        needing('org/b', need('org/c'), need('org/a')),
        needing('org/c', need('org/b')),
      ),
    },
  );

  it('is reached through others, without what the manifest declares, cycles and all', () => {
    expect(reached(lock).map(({ key }) => key)).toEqual(['models/org/b@main', 'models/org/c@main']);
  });

  it('has a way, from its root', () => {
    const [, last] = reached(lock);
    if (last === undefined) throw new Error('nothing is reached');
    expect(wayTo(last)).toBe('models.a → org/b (config.json) → org/c (config.json)');
    expect(rootOf(last).name).toBe('a');
    expect(doWithout(rootOf(last))).toContain('"dependencies: ignore" on models.a');
  });

  it('names the ref in a way where it is not main', () => {
    const other = lockOf({ a: needing('org/a', need('org/b', 'v1', 'adapter_config.json')) });
    expect(reached(other).map(wayTo)).toEqual(['models.a → org/b at v1 (adapter_config.json)']);
  });

  it('is told apart by what is locked and what is missing', () => {
    const manifest = manifestOf('models: { a: org/a, own: org/own }');
    const { missing, needed } = needsFound(manifest, lock);
    expect(missing.map(({ repo }) => repo)).toEqual(['org/x']);
    expect([...needed.keys()]).toEqual(['models/org/b@main', 'models/org/c@main']);
  });

  it('counts in the mode of its entry alone', () => {
    const manifest = manifestOf(
      'models: { a: { repo: org/a, dependencies: warn }, own: { repo: org/own } }',
    );
    expect(entriesOfMode(manifest, lock, 'warn').map(({ name }) => name)).toEqual(['a']);
    expect(entriesOfMode(manifest, lock, 'lock').map(({ name }) => name)).toEqual(['own']);
    expect(allReached(manifest, lock).map(({ repo }) => repo)).toEqual(['org/x']);
    expect(allReached(manifestOf('models: {}'), lock)).toEqual([]);
  });

  it('is at most 64 repositories', () => {
    const wide = (count: number) =>
      lockOf({ a: needing('org/a', ...Array.from({ length: count }, (_, i) => need(`org/${i}`))) });
    expect(reached(wide(MAX_NEEDED)).length).toBe(64);
    expect(() => reached(wide(MAX_NEEDED + 1))).toThrow(
      expect.objectContaining({
        code: 'EHUG_DEPENDENCY',
        message: 'models.a leads to more than 64 repositories that it needs',
      }),
    );
  });

  it('is at most eight steps away', () => {
    const chain = (steps: number) =>
      lockOf(
        { a: needing('org/a', need('org/1')) },
        {
          needed: keyed(
            ...Array.from({ length: steps - 1 }, (_, i) =>
              needing(`org/${i + 1}`, need(`org/${i + 2}`)),
            ),
          ),
        },
      );
    expect(reached(chain(8)).length).toBe(8);
    expect(() => reached(chain(9))).toThrow(HugError);
  });
});

describe('the exemption of what is needed', () => {
  const lock = lockOf({ a: needing('org/a', need('org/x')), b: needing('org/b', need('org/x')) });
  const exempt = (a: string, b: string) => {
    const manifest = manifestOf(
      `policy: { minimumAge: 2d }\nmodels: { a: { repo: org/a${a} }, b: { repo: org/b${b} }, c: org/c }`,
    );
    const steps = allReached(manifest, lock);
    expect(steps.length).toBe(2);
    return [isExempt(manifest, steps, 'minimumAge'), minAgeOf(manifest, steps)];
  };
  const allow = ', allow: [minimumAge]';

  it('needs every entry that needs it', () => {
    const twoDays = 2 * 24 * 3_600_000;
    expect(exempt('', '')).toEqual([false, twoDays]);
    expect(exempt(allow, '')).toEqual([false, twoDays]);
    expect(exempt('', allow)).toEqual([false, twoDays]);
    expect(exempt(allow, ', allow: [formats]')).toEqual([false, twoDays]);
    expect(exempt(allow, allow)).toEqual([true, undefined]);
  });

  it('is no matter where there is no rule', () => {
    const manifest = manifestOf('models: { a: org/a, b: org/b }');
    expect(minAgeOf(manifest, allReached(manifest, lock))).toBeUndefined();
  });
});
