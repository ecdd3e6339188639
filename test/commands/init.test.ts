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
    const { status, stdout } = await init(folder);
    expect([status, stdout]).toEqual([0, 'hug.yaml written; next: nix-hug add org/name\n']);
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
      'squad',
    ]);
  });

  it('writes a flake beside it, the one of the examples', async () => {
    const folder = await tempFolder();
    const { json } = await init(folder, '--flake', '--json');
    expect(json()).toEqual({ written: ['hug.yaml', 'flake.nix'] });
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
    'writes nothing where there is a %s',
    async (name) => {
      const folder = await tempFolder();
      await mkdir(path.join(folder, '.config'));
      await writeFile(path.join(folder, name), 'mine');
      const { status, stderr } = await init(folder, '--flake');
      expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_FILE_EXISTS')]);
      expect(stderr).toContain(path.join(folder, name));
      expect(await readFile(path.join(folder, name), 'utf8')).toBe('mine');
      const files = await readdir(folder, { recursive: true });
      expect(new Set(files)).toEqual(new Set(['.config', name]));
    },
  );

  it('takes a link that leads nowhere for a file', async () => {
    const folder = await tempFolder();
    await symlink('nowhere', path.join(folder, 'hug.yaml'));
    expect((await init(folder)).stderr).toContain('EHUG_FILE_EXISTS');
    expect(await readdir(folder)).toEqual(['hug.yaml']);
  });

  it('says so when the folder is not there, and when another file cannot be made', async () => {
    const folder = await tempFolder();
    const missing = await init(path.join(folder, 'gone'));
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('ENOENT')]);
  });

  it('gives one of many at once the file, and the others an error', async () => {
    const folder = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 8 }, () => init(folder, '--flake')));
    const done = runs.filter(({ status }) => status === 0);
    expect([done.length, runs.filter(({ status }) => status === 2).length]).toEqual([1, 7]);
    expect(await readdir(folder)).toEqual(['flake.nix', 'hug.yaml']);
  });
});
