import { namedEntries } from '../../src/lock/entries.ts';
import { askedAs, neededKey } from '../../src/lock/needs.ts';
import type { Lock } from '../../src/lock/schema.ts';
import cases from '../fixtures/needs.json' with { type: 'json' };
import { lockedEntry, lockOf } from './locks.ts';

/** What entries of a lock need, for both readers of locks. */
export interface NeedsCase {
  readonly title: string;
  readonly lock: Lock;
  /** Places of entries. */
  readonly of: readonly string[];
  /** Places of these entries and of all that they need, in order. */
  readonly gives: readonly string[];
}

interface FixtureEntry {
  readonly repo: string;
  readonly requested?: string;
  readonly ref?: string;
  /** `REPO@REF` each. */
  readonly needs?: readonly string[];
}

const locked = (entries: Readonly<Record<string, FixtureEntry>> = {}) =>
  new Map(
    Object.entries(entries).map(([name, { needs, ...entry }]) => [
      name,
      lockedEntry({ ...entry, ...(needs === undefined ? {} : { needs: needs.map(needOf) }) }),
    ]),
  );

function needOf(asked: string) {
  const [repo = '', ref = ''] = asked.split('@');
  return { repo, ref, by: 'config.json' };
}

/** The shared cases of `test/fixtures/needs.json`. */
export const NEEDS_CASES: readonly NeedsCase[] = cases.map(
  ({ models, datasets, needed, ...rest }) => ({
    ...rest,
    lock: {
      lockfileVersion: 2,
      models: locked(models),
      datasets: locked(datasets),
      needed: locked(needed),
    },
  }),
);

/** A model that needs a chain of others, of which the last one needs the first. */
export function chainOf(length: number): NeedsCase {
  const ids = Array.from({ length }, (_, index) => `org/base-${index}`);
  const chain = ids.map((repo, index) => {
    const needs = [needOf(`${ids[(index + 1) % length]}@main`)];
    return [`models/${repo}@main`, lockedEntry({ repo, needs })] as const;
  });
  const lora = lockedEntry({ repo: 'acme/lora', needs: [needOf('org/base-0@main')] });
  return {
    title: `ends after a chain of ${length} that leads back to its beginning`,
    lock: lockOf({ lora }, { needed: new Map(chain) }),
    of: ['models.lora'],
    gives: ['models.lora', ...chain.map(([key]) => `needed.${key}`)],
  };
}

/** For an entry, the entries that its `config.json` names. */
type Needs = Readonly<Record<string, readonly string[]>>;

/**
 * A lock whose models need each other.
 *
 * @param needs by names of models
 * @param undeclared names of the models that go to `needed`
 */
export function withNeeds(lock: Lock, needs: Needs, undeclared: readonly string[]): Lock {
  const models = namedEntries(lock).filter(({ type }) => type === 'model');
  const askedFor = (name: string) => {
    const found = models.find((model) => model.name === name);
    if (found === undefined) throw new Error(`no model ${name}`);
    return askedAs(found);
  };
  const all = models.map((model) => {
    const ids = (needs[model.name] ?? []).map((name) => {
      const { repo, ref } = askedFor(name);
      return { repo, ref, by: 'config.json' };
    });
    const entry = { ...model.entry, ...(ids.length === 0 ? {} : { needs: ids }) };
    return { ...model, entry };
  });
  return {
    ...lock,
    models: new Map(
      all.flatMap(({ name, entry }) => (undeclared.includes(name) ? [] : [[name, entry]])),
    ),
    needed: new Map(
      all.flatMap((named) =>
        undeclared.includes(named.name) ? [[neededKey(askedAs(named)), named.entry]] : [],
      ),
    ),
  };
}
