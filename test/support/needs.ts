import { namedEntries } from '../../src/lock/entries.ts';
import { askedAs, neededKey } from '../../src/lock/needs.ts';
import type { Lock } from '../../src/lock/schema.ts';

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
