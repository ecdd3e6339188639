import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { namedEntries, neededEntries } from '../../src/lock/entries.ts';
import { createNeedIndex } from '../../src/lock/needs.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { entriesText } from '../../src/output/entry-tree.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const entryOf = (repo: string, ...ids: readonly string[]) =>
  lockedEntry({ repo, needs: ids.map((id) => ({ repo: id, ref: 'main', by: 'config.json' })) });

const lockWith = (
  models: Record<string, LockedEntry>,
  ...needed: readonly LockedEntry[]
): Lock => ({
  ...lockOf(models),
  needed: new Map(needed.map((entry) => [`models/${entry.repo}@${entry.ref}`, entry])),
});

async function linesOf(lock: Lock, columns?: number): Promise<string[]> {
  const listed = {
    asked: namedEntries(lock),
    needed: neededEntries(lock),
    index: createNeedIndex(lock),
  };
  return stripVTControlCharacters(await entriesText(listed, columns)).split('\n');
}

const LOCK = lockWith(
  {
    gpt2: entryOf('openai-community/gpt2'),
    lora: entryOf('acme/lora', 'meta-llama/Llama-3.2-1B-Instruct', 'gone/away'),
    other: entryOf('acme/other', 'meta-llama/Llama-3.2-1B-Instruct', 'openai-community/gpt2'),
  },
  entryOf('meta-llama/Llama-3.2-1B-Instruct', 'org/remote-code'),
  entryOf('org/remote-code', 'meta-llama/Llama-3.2-1B-Instruct'),
  entryOf('org/orphan'),
);

describe('the tree of entries', () => {
  it('has each repository once, refers to it from elsewhere, and ends in a cycle', async () => {
    expect(await linesOf(LOCK)).toEqual([
      'models.gpt2   openai-community/gpt2                   main  cccccccccccc     1 file  3 B',
      'models.lora   acme/lora                               main  cccccccccccc     1 file  3 B',
      '              └ meta-llama/Llama-3.2-1B-Instruct      main  cccccccccccc     1 file  3 B',
      '                └ org/remote-code                     main  cccccccccccc     1 file  3 B',
      '                  └ meta-llama/Llama-3.2-1B-Instruct  main  shown above',
      '              └ gone/away                             main  not locked',
      'models.other  acme/other                              main  cccccccccccc     1 file  3 B',
      '              └ meta-llama/Llama-3.2-1B-Instruct      main  shown above',
      '              └ openai-community/gpt2                 main  see models.gpt2',
      'not needed    org/orphan                              main  cccccccccccc     1 file  3 B',
      '3 entries, 3 needed, 6 files, 18 B',
    ]);
  });

  it.each([40, 60, 100])('has whole ids in %i columns, and no blank line', async (columns) => {
    const lines = await linesOf(LOCK, columns);
    expect(lines.filter((line) => line.trim() === '')).toEqual([]);
    const text = lines.join('\n');
    for (const { entry } of [...namedEntries(LOCK), ...neededEntries(LOCK)]) {
      expect(text).toContain(`${entry.repo} `);
    }
  });

  it('has one row for a repository that two files name, or that two entries are', async () => {
    const lock = lockWith({
      a: entryOf('org/base'),
      b: entryOf('org/base'),
      lora: lockedEntry({
        repo: 'acme/lora',
        needs: [
          { repo: 'org/base', ref: 'main', by: 'adapter_config.json' },
          { repo: 'org/base', ref: 'main', by: 'config.json' },
        ],
      }),
    });
    expect((await linesOf(lock)).filter((line) => line.includes('└'))).toEqual([
      '             └ org/base  main  see models.a',
      '             └ org/base  main  see models.b',
    ]);
  });

  it('has a row for each of a chain of any length, indented eight levels at most', async () => {
    const ids = Array.from({ length: 5_000 }, (_, at) => `org/n${at}`);
    const needed = ids.map((id, at) => entryOf(id, ...ids.slice(at + 1, at + 2)));
    const lines = await linesOf(lockWith({ first: entryOf('org/first', 'org/n0') }, ...needed));
    expect(lines).toHaveLength(5_002);
    expect(lines[8]?.indexOf('└')).toBe((lines[1]?.indexOf('└') ?? 0) + 14);
    expect(lines.at(-2)?.indexOf('└')).toBe(lines[8]?.indexOf('└'));
    expect(lines.at(-1)).toBe('1 entry, 5000 needed, 5001 files, 15 kB');
  });

  it('says that an empty lock has no entries', async () => {
    expect(await linesOf(lockOf({}))).toEqual(['the lock has no entries']);
  });
});
