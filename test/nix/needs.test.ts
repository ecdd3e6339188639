import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { chainOf, NEEDS_CASES } from '../support/needs.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { callPython, describeClients } from '../support/python.ts';
import { serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const WITH_NEEDED = `(import ${nixString(path.join(import.meta.dirname, '../../nix/with-needed.nix'))})`;

const importing = (lock: Lock, lib = `(${LIBRARY} { pkgs = ${PKGS}; })`) =>
  `(${lib}.importLock (builtins.fromJSON ${nixString(formatLock(lock))}))`;

/** `needed.models/org/base@main` → an attribute path of Nix. */
const attributeOf = (place: string) => {
  const [section, ...name] = place.split('.');
  return `${section}.${nixString(name.join('.'))}`;
};

const need = (repo: string, ref = 'main') => ({ repo, ref, by: 'adapter_config.json' });

describeNix('what entries need', (nix) => {
  const CASES = [...NEEDS_CASES, chainOf(500)];

  let written = 0;
  it.each(CASES)('$title', async ({ lock, of, gives }) => {
    // Too long for a command line.
    const file = path.join(nix().folder, `lock-${(written += 1)}.json`);
    await writeFile(file, formatLock(lock));
    const hug = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(file)})`;
    const values = of.map((place) => `${hug}.${attributeOf(place)}`).join(' ');
    const found = await nix().evaluate(
      `map (value: [ value.entry value.repo ]) (${WITH_NEEDED} [ ${values} ])`,
    );
    const entries = found as [entry: string, repo: string][];
    expect(entries.map(([place]) => place)).toEqual(gives);

    // All entries have the same commit.
    const cache = `(${LIBRARY} { pkgs = ${PKGS}; }).buildCache { models = [ ${values} ]; }`;
    const plan = String(await nix().evaluate(`(${cache}).plan`));
    const repos = new Set(entries.map(([, repo]) => repo));
    expect(plan.match(/^snapshot\t/gmu)).toHaveLength(repos.size);
  });

  /** Commits in the plan of a cache, which tell the entries of `lock` below apart. */
  const revsIn = async (lock: Lock, cache: string) => {
    const plan = await nix().evaluate(`let hug = ${importing(lock)}; in (${cache}).plan`);
    const names = String(plan).match(/snapshots\/[0-9a-f]{40}/gu) ?? [];
    return names
      .map((name) => name.slice(-1))
      .toSorted()
      .join('');
  };
  const entry = (letter: string, needs: readonly string[] = [], groups?: readonly string[]) =>
    lockedEntry({
      repo: `org/${letter}`,
      rev: letter.repeat(40),
      ...(needs.length > 0 ? { needs: needs.map((repo) => need(`org/${repo}`)) } : {}),
      ...(groups === undefined ? {} : { groups }),
    });
  const LOCK = lockOf(
    { a: entry('a', ['b']), c: entry('c', ['d'], ['gpu']), e: entry('e', [], ['dev']) },
    {
      datasets: new Map([['f', entry('f', [], ['dev'])]]),
      needed: new Map([
        ['models/org/b@main', entry('b', ['d'])],
        ['models/org/d@main', entry('d')],
        // Nothing needs it.
        ['models/org/0@main', entry('0')],
      ]),
    },
  );

  it.each([
    ['hug.models.a.cache', 'abd'],
    ['hug.models.c.cache', 'cd'],
    ['hug.models.e.cache', 'e'],
    ['hug.datasets.f.cache', 'f'],
    ['hug.needed."models/org/b@main".cache', 'bd'],
    ['hug.needed."models/org/d@main".cache', 'd'],
    ['hug.groups.gpu.cache', 'abcd'],
    ['hug.groups.dev.cache', 'abdef'],
    ['hug.cache', '0abcdef'],
  ])('is in %s', async (cache, revs) => {
    expect(await revsIn(LOCK, cache)).toBe(revs);
  });

  it('of one group alone is not in the cache of another one', async () => {
    const lock = {
      ...LOCK,
      models: new Map([
        ['c', entry('c', ['d'], ['gpu'])],
        ['e', entry('e', ['b'], ['dev'])],
      ]),
      needed: new Map([
        ['models/org/b@main', entry('b')],
        ['models/org/d@main', entry('d')],
      ]),
    };
    expect(await revsIn(lock, 'hug.groups.gpu.cache')).toBe('cd');
    expect(await revsIn(lock, 'hug.groups.dev.cache')).toBe('bef');
  });

  it('is in a cache of values of several locks, each by its own lock', async () => {
    const lib = `(${LIBRARY} { pkgs = ${PKGS}; })`;
    // The same place, another commit.
    const other = {
      ...LOCK,
      needed: new Map([['models/org/b@main', { ...entry('b'), ref: 'main', rev: '9'.repeat(40) }]]),
    };
    const mine = {
      ...other,
      models: new Map([['a', { ...entry('a', ['b']), ref: 'v2', rev: '8'.repeat(40) }]]),
    };
    const cache = `${lib}.buildCache { models = [ hug.models.c ${importing(mine)}.models.a ]; }`;
    expect(await revsIn(LOCK, cache)).toBe('89cd');
  });

  it('makes no difference to the store path of a cache that has it already', async () => {
    const alone = { ...LOCK, models: new Map([['a', entry('a')]]), datasets: new Map() };
    const needing = { ...alone, models: new Map([['a', entry('a', ['b'])]]) };
    const [one, other] = await Promise.all(
      [alone, needing].map((lock) => nix().evaluate(`${importing(lock)}.cache.outPath`)),
    );
    expect(other).toBe(one);
  });

  it('is in a cache with overrides, by path and by derivation', async () => {
    const mine = path.join(nix().folder, 'mine.json');
    await writeFile(mine, '{}');
    const overrides = `overrides.models = {
      a."config.json" = /. + ${nixString(mine)};
      c."extra.json" = derivation { name = "extra.json"; system = "x"; builder = "/b"; };
    };`;
    const lock = `lock = builtins.fromJSON ${nixString(formatLock(LOCK))};`;
    const hug = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock { ${lock} ${overrides} })`;
    const plan = String(await nix().evaluate(`${hug}.cache.plan`));
    expect(plan.match(/^snapshot\t/gmu)).toHaveLength(7);
    // An overridden file is in no list.
    expect(plan.match(/^file\t"config\.json"/gmu)).toHaveLength(6);
  });

  it('costs a model nothing', async () => {
    // A lock that is wrong elsewhere: what is not used is not read.
    const text = JSON.parse(formatLock(LOCK));
    text.models.c.rev = 'wrong';
    text.needed['models/org/b@main'].rev = 'wrong';
    const lock = `(builtins.fromJSON ${nixString(JSON.stringify(text))})`;
    const hug = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${lock})`;
    expect(await nix().evaluate(`${hug}.models.a.outPath`)).toMatch(/-a$/u);
    expect(await nix().evaluate(`${hug}.models.e.cache.outPath`)).toMatch(/-huggingface-cache$/u);
    expect(await nix().evaluationError(`${hug}.models.a.cache.outPath`)).toContain('rev is not');
  });

  describeClients((client) => {
    it('is found offline in the cache of an adapter, at main and at the revision that it names', async () => {
      const base = { repo: 'org/base', files: { 'config.json': '{"at":"main"}' } };
      const [adapter, main, dev] = await Promise.all([
        makeRepository({
          repo: 'acme/lora',
          files: { 'adapter_config.json': '{}' },
          lfs: { 'adapter_model.safetensors': 'low rank' },
        }),
        makeRepository({ ...base, lfs: { 'model.safetensors': 'weights' } }),
        makeRepository({
          ...base,
          files: { 'config.json': '{"at":"dev"}' },
          commit: 'dev',
          ref: 'dev',
        }),
      ]);
      const server = await serveFiles(
        new Map([adapter, main, dev].flatMap(({ addresses }) => [...addresses])),
      );
      onTestFinished(() => server.close());
      const needs = [need('org/base', 'dev'), need('org/base')];
      const lock = lockOf(
        { lora: { ...adapter.entry, needs } },
        {
          needed: new Map([
            ['models/org/base@dev', dev.entry],
            ['models/org/base@main', main.entry],
          ]),
        },
      );
      const lib = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; })`;
      const cache = await nix().build(`${importing(lock, lib)}.models.lora.cache`);
      const file = async (repo_id: string, filename: string, revision?: string) => {
        const [outcome] = await callPython(
          client,
          {
            home: path.join(nix().folder, `home-${client.version}`),
            endpoint: server.endpoint,
            env: { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' },
          },
          [
            {
              call: 'hf_hub_download',
              args: { repo_id, filename, ...(revision === undefined ? {} : { revision }) },
            },
          ],
        );
        if (outcome === undefined || !('value' in outcome)) throw new Error(outcome?.message);
        return readFile(String(outcome.value), 'utf8');
      };
      expect(await file('acme/lora', 'adapter_model.safetensors')).toBe('low rank');
      expect(await file('org/base', 'model.safetensors')).toBe('weights');
      expect(await file('org/base', 'config.json')).toBe('{"at":"main"}');
      expect(await file('org/base', 'config.json', 'dev')).toBe('{"at":"dev"}');
      expect(await file('org/base', 'config.json', dev.entry.rev)).toBe('{"at":"dev"}');
    });
  });
});
