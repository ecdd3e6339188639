import { execFile } from 'node:child_process';
import {
  copyFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExampleRepos } from '../support/example-repos.ts';
import { type Hub, startHub } from '../support/hub/index.ts';

const exec = promisify(execFile);
const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const EXAMPLE = path.join(REPOSITORY, 'examples', 'flake');

/** What `npm pack` starts from, without anything that was built before. */
const SOURCES = [
  'LICENSE',
  'README.md',
  'nix',
  'package.json',
  'schemas',
  'scripts',
  'src',
  'tsconfig.json',
  'tsconfig.library.json',
];

let folder: string;
let consumer: string;
let packed: readonly string[];
let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  await createExampleRepos(hub);
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'nix-hug-'));
  const sources = path.join(folder, 'sources');
  for (const name of SOURCES) {
    await cp(path.join(REPOSITORY, name), path.join(sources, name), { recursive: true });
  }
  await symlink(path.join(REPOSITORY, 'node_modules'), path.join(sources, 'node_modules'));
  const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: sources,
  });
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  packed = files.map((file: { path: string }) => file.path);

  consumer = path.join(folder, 'consumer');
  await cp(path.join(import.meta.dirname, 'consumer.ts'), path.join(consumer, 'consumer.ts'));
  await copyFile(path.join(EXAMPLE, 'hug.yaml'), path.join(consumer, 'hug.yaml'));
  await writeFile(path.join(consumer, 'package.json'), '{ "type": "module", "private": true }');
  const tarball = path.join(folder, filename);
  await exec('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], {
    cwd: consumer,
  });
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

it('packs dist, nix and schemas, and what npm always adds', () => {
  expect(new Set(packed.map((file) => file.split('/')[0]))).toEqual(
    new Set(['LICENSE', 'README.md', 'dist', 'nix', 'package.json', 'schemas']),
  );
  expect(packed).toContain('dist/nix-hug.1');
  expect(packed.filter((file) => /(?<!\.d)\.ts$|\.cache$/u.test(file))).toEqual([]);
});

it('installs nothing that is made for one system, as compilers are', async () => {
  const packages = await readdir(path.join(consumer, 'node_modules'));
  expect(packages).toContain('undici');
  expect(packages.filter((name) => /typescript|esbuild/u.test(name))).toEqual([]);
});

it('runs by npx in the folder where it was installed', async () => {
  const { version } = JSON.parse(await readFile(path.join(REPOSITORY, 'package.json'), 'utf8'));
  const nixHug = (...argv: readonly string[]) =>
    exec('npx', ['--no-install', 'nix-hug', ...argv], {
      cwd: consumer,
      env: { ...process.env, HF_ENDPOINT: hub.endpoint },
    });
  expect((await nixHug('--version')).stdout).toBe(`${version}\n`);
  await nixHug('lock');
  const made = await readFile(path.join(consumer, 'hug.lock.json'), 'utf8');
  expect(made).toBe(await readFile(path.join(EXAMPLE, 'hug.lock.json'), 'utf8'));
});

it('exports functions and types to a program', async () => {
  const modules = path.join(REPOSITORY, 'node_modules');
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    typeRoots: [path.join(modules, '@types')],
  };
  await writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await exec(path.join(modules, '.bin', 'tsc'), ['-p', consumer]);
  const { stdout } = await exec(process.execPath, ['consumer.js', hub.endpoint], { cwd: consumer });
  const said = JSON.parse(stdout);
  expect(said.text).toBe(await readFile(path.join(EXAMPLE, 'hug.lock.json'), 'utf8'));
  expect(said.added).toEqual(['tiny-llama']);
  expect(said.refusal).toBe('EHUG_LOCK_INVALID');
});
