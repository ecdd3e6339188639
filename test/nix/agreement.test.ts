import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sriOfHex } from '../../src/digest.ts';
import { storeNameOf } from '../../src/lock/names.ts';
import { encodePath } from '../../src/address.ts';
import { unsafeReason } from '../../src/safe-path.ts';
import { describeNix, nixString } from '../support/nix.ts';

// The CLI writes these values into a lock; for `fetchModel`, Nix computes them itself.

const NIX = path.join(import.meta.dirname, '../../nix');

const segment = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 200, maxLength: 255 }),
  fc.constantFrom('.x', 'a.drv', '.drv', 'ä.drv', '日本語', '🤗', '\u{10ffff}', 'ࠀ', '퟿', 'ÿ', '~'),
  fc.stringMatching(/^[a-z.]{206,209}$/u),
);
const filePath = fc
  .array(segment, { minLength: 1, maxLength: 2 })
  .map((segments) => segments.join('/'))
  .filter((text) => unsafeReason(text) === undefined);

const paths = fc.sample(filePath, { numRuns: 500, seed: 3 });

describeNix('Nix and the CLI agree on', (nix) => {
  /** The value of a function of `nix/` for each of the values. */
  async function mapped(expression: string, values: readonly string[]): Promise<unknown> {
    const file = path.join(nix().folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return nix().evaluate(
      `map (${expression}) (builtins.fromJSON (builtins.readFile ${nixString(file)}))`,
    );
  }

  const imported = (file: string) => `import ${nixString(path.join(NIX, file))}`;

  it('store path names', async () => {
    expect(await mapped(imported('store-name.nix'), paths)).toEqual(
      paths.map((name) => storeNameOf(name) ?? path.posix.basename(name)),
    );
  });

  it('percent-encoded paths', async () => {
    expect(await mapped(imported('encode-path.nix'), paths)).toEqual(paths.map(encodePath));
  });

  it('hashes', async () => {
    const hex = fc.stringMatching(/^[0-9a-f]{64}$/u);
    const digests = [...fc.sample(hex, { numRuns: 100, seed: 5 }), '0'.repeat(64), 'f'.repeat(64)];
    expect(await mapped(imported('fetch-model/sri-of-hex.nix'), digests)).toEqual(
      digests.map(sriOfHex),
    );
  });
});
