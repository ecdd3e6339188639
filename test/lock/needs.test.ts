import { describe, expect, it } from 'vitest';
import { namedEntries, neededEntries, placeOf } from '../../src/lock/entries.ts';
import { createNeedIndex } from '../../src/lock/needs.ts';
import type { LockedEntry } from '../../src/lock/schema.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const needs = (...ids: string[]) => ids.map((repo) => ({ repo, ref: 'main', by: 'config.json' }));

const places = (models: Record<string, LockedEntry>, needed: Record<string, LockedEntry>) => {
  const lock = { ...lockOf(models), needed: new Map(Object.entries(needed)) };
  return (...names: string[]) =>
    createNeedIndex(lock)
      .withNeeded(
        [...namedEntries(lock), ...neededEntries(lock)].filter(({ name }) => names.includes(name)),
      )
      .map(placeOf);
};

describe('what entries need', () => {
  it('is found through others, each once, and ends in a cycle', () => {
    const withNeeded = places(
      {
        lora: lockedEntry({ repo: 'acme/lora', needs: needs('org/base') }),
        other: lockedEntry({ repo: 'acme/other', needs: needs('org/base', 'org/code') }),
      },
      {
        'models/org/base@main': lockedEntry({ repo: 'org/base', needs: needs('org/code') }),
        'models/org/code@main': lockedEntry({ repo: 'org/code', needs: needs('org/base') }),
      },
    );
    expect(withNeeded('lora')).toEqual([
      'models.lora',
      'needed.models/org/base@main',
      'needed.models/org/code@main',
    ]);
    expect(withNeeded('lora', 'other')).toHaveLength(4);
  });

  it('names the first of the entries asked about that needs it', () => {
    const lock = {
      ...lockOf({
        a: lockedEntry({ repo: 'acme/a', needs: needs('org/base') }),
        b: lockedEntry({ repo: 'acme/b', needs: needs('org/base', 'acme/a') }),
      }),
      needed: new Map([
        ['models/org/base@main', lockedEntry({ repo: 'org/base', needs: needs('org/code') })],
        ['models/org/code@main', lockedEntry({ repo: 'org/code', needs: needs('acme/b') })],
      ]),
    };
    const reasons = (...names: string[]) =>
      createNeedIndex(lock)
        .withNeeded(namedEntries(lock).filter(({ name }) => names.includes(name)))
        .map(({ name, neededBy }) => [name, neededBy?.name]);
    const base = 'models/org/base@main';
    const code = 'models/org/code@main';
    expect(reasons('a', 'b')).toEqual([
      ['a', undefined],
      ['b', undefined],
      [base, 'a'],
      [code, 'a'],
    ]);
    expect(reasons('b')).toEqual([
      ['b', undefined],
      [base, 'b'],
      ['a', 'b'],
      [code, 'b'],
    ]);
  });

  it('ends where a lock by hand goes 64 levels deep, or nowhere', () => {
    const ids = Array.from({ length: 64 }, (_, at) => `org/n${at}`);
    const needed = ids.map((repo, at) => [
      `models/${repo}@main`,
      lockedEntry({ repo, needs: needs(repo, 'gone/away', ...ids.slice(at + 1, at + 2)) }),
    ]);
    const first = lockedEntry({ repo: 'org/first', needs: needs('org/n0') });
    expect(places({ first }, Object.fromEntries(needed))('first')).toHaveLength(65);
  });

  it('is an entry of the manifest where one has the id as asked and the ref', () => {
    const withNeeded = places(
      {
        lora: lockedEntry({ repo: 'acme/lora', needs: needs('gpt2') }),
        mine: lockedEntry({ repo: 'openai-community/gpt2', requested: 'gpt2' }),
        dev: lockedEntry({ repo: 'openai-community/gpt2', requested: 'gpt2', ref: 'dev' }),
      },
      { 'models/gpt2@main': lockedEntry({ repo: 'openai-community/gpt2', requested: 'gpt2' }) },
    );
    expect(withNeeded('lora')).toEqual(['models.lora', 'models.mine']);
  });

  it('is nothing where the lock has none, as without dependencies', () => {
    const withNeeded = places(
      { lora: lockedEntry({ repo: 'acme/lora', needs: needs('a/b') }) },
      {},
    );
    expect(withNeeded('lora')).toEqual(['models.lora']);
  });
});
