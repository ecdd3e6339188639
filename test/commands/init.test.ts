import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/manifest/parse.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp.ts';

const init = (cwd: string, ...options: string[]) => runCli(['init', ...options], { cwd });

describe('init', () => {
  it('writes a manifest with comments and without entries', async () => {
    const folder = await tempFolder('project ä');
    const { status, stdout, stderr } = await init(folder);
    expect([status, stdout]).toEqual([0, 'hug.yaml written\n']);
    expect(stderr).toBe('next: nix-hug add org/name\n');
    expect(await readdir(folder)).toEqual(['hug.yaml']);
    const text = await readFile(path.join(folder, 'hug.yaml'), 'utf8');
    expect(text).toContain('# yaml-language-server: $schema=');
    expect(parseManifest(text, 'hug.yaml').entries).toEqual([]);
    expect((await stat(path.join(folder, 'hug.yaml'))).mode & 0o200).toBe(0o200);
  });

  it('shows entries in its comments that are valid ones', async () => {
    const folder = await tempFolder();
    await init(folder);
    const text = await readFile(path.join(folder, 'hug.yaml'), 'utf8');
    const shown = text.replace(/^ {2}# ?/gmu, '  ');
    expect(parseManifest(shown, 'hug.yaml').entries.map(({ name }) => name)).toEqual([
      'tiny-llama',
      'mistral',
      'quant',
      'squad',
    ]);
  });

  it('writes a flake beside it, the one of the examples', async () => {
    const folder = await tempFolder();
    const { json } = await init(folder, '--flake', '--json');
    expect(json()).toMatchObject({ written: ['hug.yaml', 'flake.nix'], kept: [] });
    const example = path.join(import.meta.dirname, '..', '..', 'examples', 'flake', 'flake.nix');
    expect(await readFile(path.join(folder, 'flake.nix'), 'utf8')).toBe(
      await readFile(example, 'utf8'),
    );
  });

  it('gives the manifest another name', async () => {
    const folder = await tempFolder();
    expect((await init(folder, '--manifest', 'models.yaml')).status).toBe(0);
    expect(await readdir(folder)).toEqual(['models.yaml']);
  });

  it('names the lock of the manifest in the flake', async () => {
    const folder = await tempFolder();
    expect((await init(folder, '--flake', '--manifest', 'dev.yaml')).status).toBe(0);
    for (const name of ['dev.yaml', 'flake.nix']) {
      const text = await readFile(path.join(folder, name), 'utf8');
      expect(text).toContain('dev.lock.json');
      expect(text).not.toContain('hug.lock.json');
    }
  });

  it.each(['hug.yaml', 'hug.yml', '.config/hug.yaml', 'flake.nix'])(
    'keeps a %s, names it, and writes what is missing',
    async (name) => {
      const folder = await tempFolder();
      await mkdir(path.join(folder, '.config'));
      await writeFile(path.join(folder, name), 'mine');
      const { status, stdout, stderr } = await init(folder, '--flake');
      const other = name === 'flake.nix' ? 'hug.yaml' : 'flake.nix';
      expect([status, stdout]).toEqual([0, `${other} written; ${name} kept as it was\n`]);
      const next = name === 'flake.nix' ? 'nix-hug add org/name' : 'nix-hug lock';
      expect(stderr).toBe(`next: ${next}\n`);
      expect(await readFile(path.join(folder, name), 'utf8')).toBe('mine');
      const files = await readdir(folder, { recursive: true });
      expect(new Set(files)).toEqual(new Set(['.config', name, other]));
      const again = await init(folder, '--flake', '--json');
      expect(again.json()).toMatchObject({ written: [], kept: expect.arrayContaining([name]) });
      expect(again.stderr).toBe('');
    },
  );

  it('imports the lock of the manifest that it kept', async () => {
    const folder = await tempFolder();
    await mkdir(path.join(folder, '.config'));
    await writeFile(path.join(folder, '.config/hug.yaml'), '');
    await init(folder, '--flake');
    const text = await readFile(path.join(folder, 'flake.nix'), 'utf8');
    expect(text).toContain('importLock ./.config/hug.lock.json');
  });

  it('keeps a link that leads nowhere', async () => {
    const folder = await tempFolder();
    await symlink('nowhere', path.join(folder, 'hug.yaml'));
    expect((await init(folder)).stdout).toBe('hug.yaml kept as it was\n');
    expect(await readdir(folder)).toEqual(['hug.yaml']);
  });

  it('says so when the folder is not there, and when another file cannot be made', async () => {
    const folder = await tempFolder();
    const missing = await init(path.join(folder, 'gone'));
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('ENOENT')]);
  });

  it('writes each file once when many run at once', async () => {
    const folder = await tempFolder();
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => init(folder, '--flake', '--json')),
    );
    expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 0));
    const written = runs.flatMap(({ json }) => json().written as string[]);
    expect(written.toSorted()).toEqual(['flake.nix', 'hug.yaml']);
    expect(await readdir(folder)).toEqual(['flake.nix', 'hug.yaml']);
  });
});
