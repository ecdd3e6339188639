import { hash as digestOf } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOfSri } from '../../src/digest.ts';
import { storeNameOf } from '../../src/lock/names.ts';
import { base32, storePathOf } from '../../src/store/store-path.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { tempFolder } from '../support/temp.ts';

const sri = (bytes: Uint8Array) => `sha256-${Buffer.from(bytes).toString('base64')}`;

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(sri);
const repoPath = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,60}$/u),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((name) => name.replace('/', '')),
  fc.constantFrom('.gitattributes', 'größe & co.csv', 'a b', '..x', 'x.drv', 'x'.repeat(300)),
);
const name = repoPath
  .filter((text) => text !== '')
  .map((text) => storeNameOf(text) ?? text)
  .filter((text) => text !== '');

describe('storePathOf', () => {
  it('gives a known path of the usual store folder', () => {
    const file = {
      name: 'hello-2.10.tar.gz',
      sha256: hexOfSri('sha256-MeBmE3qWJnbon2nRtlOC3pWn732RS4y51VvQepy4PWs='),
    };
    expect(storePathOf('/nix/store', file)).toBe(
      '/nix/store/l55nyrhz3yk9jzvfjd1pw43hay8cickv-hello-2.10.tar.gz',
    );
  });

  it('agrees with builtin:fetchurl for any name and digest', async () => {
    const { nix, folder } = await isolatedStore();
    const files = fc.sample(fc.record({ name, hash }), 500);
    const list = path.join(await tempFolder(), 'files.json');
    await writeFile(list, JSON.stringify(files));
    const outPath = `{ name, hash }: (derivation {
      inherit name;
      system = "builtin";
      builder = "builtin:fetchurl";
      url = "http://hub.example";
      outputHash = hash;
      outputHashMode = "flat";
    }).outPath`;
    const expression = `map (${outPath}) (builtins.fromJSON (builtins.readFile ${JSON.stringify(list)}))`;
    const paths = JSON.parse(
      await nix('nix-instantiate', '--eval', '--strict', '--json', '--expr', expression),
    );
    expect(
      files.map((file) => storePathOf(folder, { name: file.name, sha256: hexOfSri(file.hash) })),
    ).toEqual(paths);
  });

  it('agrees with nix-store --add-fixed', async () => {
    const { nix, folder } = await isolatedStore();
    const source = await tempFolder();
    const files = ['config.json', '_gitattributes', 'a+b=c?d.txt', '-dash', 'x'.repeat(207)];
    await Promise.all(files.map((file) => writeFile(path.join(source, file), `of ${file}`)));
    const printed = await nix(
      'nix-store',
      '--add-fixed',
      'sha256',
      ...files.map((file) => path.join(source, file)),
    );
    const expected = files.map((file) => {
      return storePathOf(folder, { name: file, sha256: digestOf('sha256', `of ${file}`) });
    });
    expect(printed.trimEnd().split('\n')).toEqual(expected);
  });
});

describe('base32', () => {
  it.each([
    ['', ''],
    ['00', '00'],
    ['ff', '7z'],
    ['0100', '0001'],
    [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73',
    ],
  ])('writes %s as %s', (hex, text) => {
    expect(base32(Buffer.from(hex, 'hex'))).toBe(text);
  });
});
