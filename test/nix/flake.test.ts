import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository } from './repository.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const SYSTEMS = ['aarch64-darwin', 'aarch64-linux', 'x86_64-darwin', 'x86_64-linux'];

const model = await makeRepository({
  files: { 'config.json': '{}' },
  lfs: { 'x y.bin': 'weights' },
});

describeNix('flake.nix', (nix) => {
  let server: FileServer;

  const placeOf = (name: string) => path.join(nix().folder, name);
  /** Copies a part of this repository to where the address of a flake can name it. */
  const place = (part: string, name: string) =>
    cp(path.join(REPOSITORY, part), placeOf(name), { recursive: true });
  const override = (input: string, name: string) => [
    '--override-input',
    input,
    `path:${placeOf(name)}`,
  ];

  beforeAll(async () => {
    server = await serveFiles(model.addresses);
    await place('flake.nix', 'library/flake.nix');
    await place('flake.lock', 'library/flake.lock');
    await place('nix', 'library/nix');
    await place('test/support/nixpkgs-stand-in', 'nixpkgs');
    await place('examples/flake/flake.nix', 'example/flake.nix');
  });
  afterAll(() => server.close());

  const flake = async (...args: readonly string[]) => {
    const features = ['--extra-experimental-features', 'nix-command flakes'];
    const { status, stdout, stderr } = await nix().run('nix', ...features, ...args);
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  it('has the library for every system', async () => {
    const systems = await flake(
      'eval',
      '--json',
      `path:${placeOf('library')}#lib`,
      '--apply',
      'builtins.mapAttrs (system: builtins.attrNames)',
      ...override('nixpkgs', 'nixpkgs'),
    );
    const functions = ['buildCache', 'fetchDataset', 'fetchModel', 'importLock', 'readLock'];
    expect(systems).toEqual(Object.fromEntries(SYSTEMS.map((system) => [system, functions])));
  });

  it('is used by examples/flake as it is, in pure evaluation', async () => {
    await writeFile(
      placeOf('example/hug.lock.json'),
      formatLock(lockOf({ m: model.entry }, { endpoint: server.endpoint })),
    );
    const system = await nix().evaluate('builtins.currentSystem');
    const [built] = await flake(
      'build',
      '--json',
      '--no-link',
      '--no-write-lock-file',
      ...override('nix-hug', 'library'),
      ...override('nix-hug/nixpkgs', 'nixpkgs'),
      `path:${placeOf('example')}#packages.${String(system)}.default`,
    );
    const snapshot = path.join(built.outputs.out, 'models--org--name/snapshots', model.entry.rev);
    expect(await readFile(path.join(snapshot, 'x y.bin'), 'utf8')).toBe('weights');
  });
});
