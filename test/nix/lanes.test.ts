import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { LockedEntry } from '../../src/lock/schema.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const LANES = 16;

const filesOf = (count: number, seed: string) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`part/${index}.txt`, `${seed} ${index}`]),
  );
const wide = await makeRepository({ repo: 'org/wide', files: filesOf(70, 'wide') });
const narrow = await makeRepository({ repo: 'org/narrow', files: filesOf(63, 'narrow') });

describeNix('lanes', (nix) => {
  let server: FileServer;
  beforeAll(async () => {
    server = await serveFiles(new Map([...wide.addresses, ...narrow.addresses]));
  });
  afterAll(() => server.close());

  let written = 0;
  /** The expression of an imported lock. */
  const imported = async (models: Readonly<Record<string, LockedEntry>>, args = '') => {
    const folder = path.join(nix().folder, `lock-${(written += 1)}`);
    await mkdir(folder);
    const file = path.join(folder, 'hug.lock.json');
    await writeFile(file, formatLock(lockOf(models)));
    const options = `pkgs = ${PKGS}; endpoint = "${server.endpoint}"; ${args}`;
    return `((${LIBRARY} { ${options} }).importLock ${nixString(file)})`;
  };
  /** A library without lanes: the same files from a `fetchFile` of the user. */
  const WITHOUT = `fetchFile = import ${nixString(path.join(import.meta.dirname, '../../nix/fetch-file.nix'))};`;
  const drvOf = async (value: string) => {
    const { status, stdout, stderr } = await nix().run('nix-instantiate', '--expr', value);
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  /** The derivations of files that a derivation needs, and how many of them need another one. */
  const filesBehind = async (drv: string) => {
    const { stdout } = await nix().run('nix-store', '-q', '--requisites', drv);
    const files = stdout.split('\n').filter((line) => line.endsWith('.txt.drv'));
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return {
      count: files.length,
      waiting: texts.filter((text) => text.includes('.txt.drv')).length,
    };
  };

  it('let 16 files of a wide model wait for nothing, and each other one for one file', async () => {
    const drv = await drvOf(`${await imported({ m: wide.entry })}.models.m`);
    expect(await filesBehind(drv)).toEqual({ count: 70, waiting: 70 - LANES });
  });

  it('run through all models of a cache', async () => {
    const hug = await imported({ n: narrow.entry, w: wide.entry });
    expect(await filesBehind(await drvOf(`${hug}.models.n`))).toEqual({ count: 63, waiting: 0 });
    const behind = await filesBehind(await drvOf(`${hug}.cache`));
    expect(behind).toEqual({ count: 133, waiting: 133 - LANES });
  });

  it('change no store path', async () => {
    const models = { n: narrow.entry, w: wide.entry };
    const paths = (hug: string) =>
      `let hug = ${hug}; in map (value: value.outPath) [ hug.models.n hug.models.w hug.cache ]`;
    expect(await nix().evaluate(paths(await imported(models)))).toEqual(
      await nix().evaluate(paths(await imported(models, WITHOUT))),
    );
  });

  it('are not part of a single file, and none of a fetchFile of the user', async () => {
    const hug = await imported({ w: wide.entry });
    const file = await drvOf(`${hug}.models.w.files."part/69.txt"`);
    expect(await filesBehind(file)).toEqual({ count: 1, waiting: 0 });
    const own = await drvOf(`${await imported({ w: wide.entry }, WITHOUT)}.models.w`);
    expect(await filesBehind(own)).toEqual({ count: 70, waiting: 0 });
  });

  it('build every file', async () => {
    const hug = await imported({ n: narrow.entry, w: wide.entry });
    await nix().build(`${hug}.cache`);
    expect(new Set(server.requests)).toEqual(
      new Set([...wide.addresses.keys(), ...narrow.addresses.keys()]),
    );
    expect(server.requests.length).toBe(133);
  });
});
