import { hash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNix as createStore, type Nix as Store, type NixKind } from '../support/nix.ts';
import { createNix, type Nix } from '../../src/store/nix.ts';
import { storePathOf } from '../../src/store/store-path.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const TOOLS = ['nix-store', 'nix-instantiate', 'nix-build'];

describe.each<NixKind>(['stable', 'current'])('the store, with the %s Nix', (kind) => {
  let store: Store;
  let nix: Nix;

  /** Tools of this system that run in the root of the newer Nix. */
  async function wrapTools(): Promise<string> {
    const folder = path.join(store.folder, 'bin');
    await mkdir(folder);
    for (const tool of TOOLS) {
      const program = [
        `'${REPOSITORY}/scripts/in-debian-root' '${REPOSITORY}/.cache/nix-${kind}'`,
        `--bind '${store.folder}' '${store.folder}' ${tool} "$@"`,
      ].join(' ');
      // Inside, the tool itself is to be found, not this file.
      const lines = ['#!/bin/sh', `PATH='${store.environment['PATH'] ?? ''}' exec ${program}`, ''];
      await writeFile(path.join(folder, tool), lines.join('\n'));
      await chmod(path.join(folder, tool), 0o755);
    }
    return folder;
  }

  beforeAll(async () => {
    store = await createStore(kind);
    const PATH = `${await wrapTools()}:${store.environment['PATH'] ?? ''}`;
    nix = await createNix({ env: { ...store.environment, PATH } });
  });
  afterAll(() => store.close());

  async function fileOf(name: string, content: string) {
    const file = path.join(store.folder, `source of ${name}`);
    await writeFile(file, content);
    return {
      file,
      name,
      storePath: storePathOf(store.storeDir, { name, sha256: hash('sha256', content) }),
    };
  }

  it('is the newer one', () => {
    expect(nix).toMatchObject({
      storeFolder: store.storeDir,
      version: store.version,
    });
    expect(Number(store.version.split('.')[1])).toBeGreaterThan(8);
  });

  it('adds files at the store paths that were computed', async () => {
    const files = [await fileOf('a.json', '{}'), await fileOf('-dash+x=1', 'odd')];
    const paths = files.map(({ storePath }) => storePath);
    expect(await nix.missing(paths)).toEqual(new Set(paths));
    await nix.add(files);
    expect(await nix.missing(paths)).toEqual(new Set());
    expect(await readFile(paths[1] ?? '', 'utf8')).toBe('odd');
  });

  it('deletes a file with the wrong content from the store', async () => {
    const bad = await fileOf('bad.txt', 'bad');
    await writeFile(bad.file, 'worse');
    await expect(nix.add([bad])).rejects.toMatchObject({ code: 'EHUG_INTEGRITY' });
    expect(await nix.missing([bad.storePath])).toEqual(new Set([bad.storePath]));
  });

  it('keeps files from the garbage collector', async () => {
    const kept = await fileOf('kept', 'kept');
    const other = await fileOf('other', 'other');
    await nix.add([kept, other]);
    await nix.addGcRoots(
      path.join(store.folder, 'roots'),
      new Map([['models.m', [kept.storePath]]]),
    );
    await store.run('nix-store', '--gc');
    const paths = [kept.storePath, other.storePath];
    expect(await nix.missing(paths)).toEqual(new Set([other.storePath]));
  });
});
