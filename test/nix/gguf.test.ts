import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { LockedEntry } from '../../src/lock/schema.ts';
import { selectQuant } from '../../src/resolve/quant.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import cases from '../fixtures/quants.json' with { type: 'json' };
import { serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const GGUF_FILES = `(import ${nixString(path.join(import.meta.dirname, '../../nix/gguf-files.nix'))})`;

/** A lock's library, from its text. */
const imported = (entry: LockedEntry, args = '') => {
  const text = formatLock(lockOf({ m: entry }));
  const lock = `(builtins.fromJSON ${nixString(text)})`;
  return `((${LIBRARY} { pkgs = ${PKGS}; ${args} }).importLock ${lock})`;
};

/** What the command line opens first, of the files that a quant selects. */
function opened({ files, quant }: (typeof cases)[number]) {
  const taken = selectQuant(
    files.map((file) => ({ path: file })),
    quant,
  ).map((file) => file.path);
  const projector = taken.find((file) => file.includes('mmproj')) ?? null;
  return { gguf: taken.find((file) => file !== projector) ?? null, mmproj: projector };
}

describeNix('the GGUF file of an entry with a quant', (nix) => {
  it('is the one that llama.cpp opens, beside plain files', async () => {
    const entries = cases.map((row) => {
      const plain = Object.fromEntries(row.files.map((file) => [file, {}]));
      const taken = selectQuant(
        row.files.map((file) => ({ path: file })),
        row.quant,
      ).map((file) => [file.path, { lfs: true }] as const);
      return {
        alone: { select: { quant: row.quant }, files: Object.fromEntries(taken) },
        // Projectors that are plain files do not stand before the selected one.
        beside: { select: { quant: row.quant }, files: { ...plain, ...Object.fromEntries(taken) } },
        hasProjector: taken.some(([file]) => file.includes('mmproj')),
      };
    });
    const expression = (key: 'alone' | 'beside') =>
      `map ${GGUF_FILES} (builtins.fromJSON ${nixString(JSON.stringify(entries.map((entry) => entry[key])))})`;
    expect(await nix().evaluate(expression('alone'))).toEqual(cases.map(opened));
    const beside = (await nix().evaluate(expression('beside'))) as { mmproj: unknown }[];
    expect(
      beside.map((found, index) =>
        entries[index]?.hasProjector ? found : { ...found, mmproj: null },
      ),
    ).toEqual(cases.map(opened));
  });

  it('lies in the folder of the model, with its other parts and its projector', async () => {
    const repository = await makeRepository({
      repo: 'org/split',
      files: { 'README.md': 'text' },
      lfs: {
        'Q8_0/m-Q8_0-00001-of-00002.gguf': 'one',
        'Q8_0/m-Q8_0-00002-of-00002.gguf': 'two',
        'mmproj-F16.gguf': 'eye',
      },
    });
    const server = await serveFiles(repository.addresses);
    try {
      const entry = { ...repository.entry, select: { quant: 'q8_0' } };
      const hug = imported(entry, `endpoint = "${server.endpoint}";`);
      const folder = await nix().build(`${hug}.models.m`);
      expect(await nix().evaluate(`{ inherit (${hug}.models.m) gguf mmproj; }`)).toEqual({
        gguf: `${folder}/Q8_0/m-Q8_0-00001-of-00002.gguf`,
        mmproj: `${folder}/mmproj-F16.gguf`,
      });
      expect(await readFile(`${folder}/Q8_0/m-Q8_0-00001-of-00002.gguf`, 'utf8')).toBe('one');
      expect(await readFile(`${folder}/Q8_0/m-Q8_0-00002-of-00002.gguf`, 'utf8')).toBe('two');
    } finally {
      await server.close();
    }
  });

  it('has no projector where the repository has none, and needs a quant', async () => {
    const files = new Map([['m-Q4_0.gguf', lockedFile('g', { lfs: true })]]);
    const entry = lockedEntry({ files, select: { quant: 'Q4_0' } });
    expect(await nix().evaluate(`${imported(entry)}.models.m.mmproj`)).toBe(null);
    const whole = lockedEntry({ files });
    expect(await nix().evaluate(`${imported(whole)}.models.m ? gguf`)).toBe(false);
  });
});
