import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { locateManifest, readManifest, SEARCH_PLACES } from '../../src/manifest/locate.ts';
import { tempFolder } from '../support/temp.ts';

/** A temporary folder with the given files; a name that ends with `/` is a folder. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder('manifest ä');
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith('/')) await writeFile(file, text);
  }
  return folder;
}

const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({
    name: 'HugError',
    code,
    hint: expect.any(String),
    ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
  });

describe('locateManifest', () => {
  it.each(['hug.yaml', 'hug.yml', '.config/hug.yaml'])('finds %s', async (name) => {
    const folder = await folderWith({ [name]: 'models: {}' });
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, name));
  });

  it('prefers them in this order', async () => {
    const folder = await folderWith({ '.config/hug.yaml': '', 'hug.yml': '', 'hug.yaml': '' });
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, 'hug.yaml'));
    const other = await folderWith({ '.config/hug.yaml': '', 'hug.yml': '' });
    expect(locateManifest({ cwd: other })).toBe(path.join(other, 'hug.yml'));
  });

  it('looks upward and takes the nearest', async () => {
    const folder = await folderWith({ 'hug.yaml': '', 'a/.config/hug.yaml': '', 'a/b/c/': '' });
    const found = locateManifest({ cwd: path.join(folder, 'a', 'b', 'c') });
    expect(found).toBe(path.join(folder, 'a', '.config', 'hug.yaml'));
  });

  it('goes on beyond a package.json and a repository', async () => {
    const folder = await folderWith({
      'hug.yaml': '',
      'a/package.json': '{ "hug": { "models": {} } }',
      'a/.git/': '',
    });
    expect(locateManifest({ cwd: path.join(folder, 'a') })).toBe(path.join(folder, 'hug.yaml'));
  });

  it('takes an empty file', async () => {
    const folder = await folderWith({ 'hug.yaml': ' \n' });
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, 'hug.yaml'));
  });

  it.each(SEARCH_PLACES)('refuses a folder %s, instead of looking above it', async (place) => {
    const folder = await folderWith({ 'hug.yaml': '', [`a/${place}/`]: '' });
    expect(() => locateManifest({ cwd: path.join(folder, 'a') })).toThrow(
      refusal('EHUG_FILE_SYSTEM', /^cannot read .*hug\.ya?ml: it is not a file$/u),
    );
  });

  it('refuses a link that leads nowhere, instead of taking another name', async () => {
    const folder = await folderWith({ 'hug.yaml': '', 'a/hug.yml': '' });
    await symlink('nowhere.yaml', path.join(folder, 'a', 'hug.yaml'));
    expect(() => locateManifest({ cwd: path.join(folder, 'a') })).toThrow(
      refusal('EHUG_FILE_SYSTEM', /^cannot read .*hug\.yaml: its symbolic link leads nowhere$/u),
    );
  });

  it('refuses a pipe, which it does not wait for', async () => {
    const folder = await folderWith({});
    execFileSync('/usr/bin/mkfifo', [path.join(folder, 'hug.yaml')]);
    expect(() => locateManifest({ cwd: folder })).toThrow(
      refusal('EHUG_FILE_SYSTEM', /^cannot read .*hug\.yaml: it is not a file$/u),
    );
  });

  it('refuses a file or a working directory that the user may not read', async ({ skip }) => {
    if (process.geteuid?.() !== 0) {
      skip('needs root, and a process of its own, to become somebody else');
    }
    const folder = await folderWith({ 'hug.yaml': '', 'file/hug.yaml': '', 'folder/hug.yaml': '' });
    await chmod(folder, 0o755);
    await chmod(path.join(folder, 'file', 'hug.yaml'), 0o600);
    await chmod(path.join(folder, 'folder'), 0o600);
    process.seteuid?.(65_534);
    try {
      for (const name of ['file', 'folder']) {
        expect(() => locateManifest({ cwd: path.join(folder, name) })).toThrow(
          refusal('EHUG_FILE_SYSTEM', /^cannot read .*EACCES/u),
        );
      }
    } finally {
      process.seteuid?.(0);
    }
  });

  it('takes a link to a file', async () => {
    const folder = await folderWith({ 'real.yaml': 'models: {}' });
    await symlink('real.yaml', path.join(folder, 'hug.yaml'));
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, 'hug.yaml'));
  });

  it('takes text that is not YAML, which the parser reports', async () => {
    const folder = await folderWith({ 'hug.yaml': '{ "$import": "./other.yaml"' });
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, 'hug.yaml'));
  });

  const trap = "require('node:fs').writeFileSync('trap', '')";
  it.each<[string, Readonly<Record<string, string>>]>([
    ['other names', { 'hug.json': '{}', '.hugrc': '', '.hugrc.yaml': '', 'hug.config.cjs': trap }],
    ['other names in .config', { '.config/hugrc.yaml': '', '.config/hug.yml': '' }],
    ['a key of package.json', { 'package.json': '{ "hug": { "models": {} } }' }],
    [
      'search places in package.json',
      { 'package.json': '{ "cosmiconfig": { "searchPlaces": ["x.yaml"] } }', 'x.yaml': '' },
    ],
    [
      'search places in .config',
      { '.config/config.yaml': 'cosmiconfig: { searchPlaces: [x.yaml] }', 'x.yaml': '' },
    ],
    ['a program in .config', { '.config/config.js': trap, '.config/config.ts': trap }],
    ['an old program in .config', { '.config/config.cjs': trap }],
  ])('passes over %s', async (_, files) => {
    const folder = await folderWith(files);
    const before = process.cwd();
    process.chdir(folder);
    onTestFinished(() => process.chdir(before));
    expect(() => locateManifest({ cwd: folder })).toThrow(refusal('EHUG_MANIFEST_MISSING'));
    expect(await readdir(folder)).not.toContain('trap');
  });

  it('takes nothing from the configuration folder of the user', async () => {
    const home = await folderWith({
      'nix-hug/config.yaml': '',
      'hug/config.yaml': '',
      'hug/hug.yaml': '',
    });
    vi.stubEnv('XDG_CONFIG_HOME', home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const folder = await folderWith({});
    expect(() => locateManifest({ cwd: folder })).toThrow(refusal('EHUG_MANIFEST_MISSING'));
  });

  it('lets no options of the working directory hide the manifest', async () => {
    const folder = await folderWith({
      'hug.yaml': '',
      '.config/config.yaml': 'cosmiconfig: { searchPlaces: [x.yaml] }',
      '.config/config.js': "require('node:fs').writeFileSync('trap', '')",
    });
    const before = process.cwd();
    process.chdir(folder);
    onTestFinished(() => process.chdir(before));
    expect(locateManifest({ cwd: folder })).toBe(path.join(folder, 'hug.yaml'));
    expect(await readdir(folder)).not.toContain('trap');
  });

  it('says where it looked', async () => {
    const folder = await folderWith({});
    expect(() => locateManifest({ cwd: folder })).toThrow(
      refusal('EHUG_MANIFEST_MISSING', /^there is no hug\.yaml in .*manifest ä-\w+ or above it$/u),
    );
  });

  it('refuses a working directory that is none', async () => {
    const folder = await folderWith({ 'hug.yaml': '' });
    for (const name of ['nowhere', 'hug.yaml']) {
      expect(() => locateManifest({ cwd: path.join(folder, name) })).toThrow(
        refusal('EHUG_FILE_SYSTEM', /is not a folder$/u),
      );
    }
  });

  it('takes the file that the user names, relative to the working directory', async () => {
    const folder = await folderWith({ 'hug.yaml': '', 'a/models.yaml': '', 'other/': '' });
    const manifest = path.join(folder, 'a', 'models.yaml');
    const cwd = path.join(folder, 'other');
    expect(locateManifest({ cwd, manifest: '../a/models.yaml' })).toBe(manifest);
    expect(locateManifest({ cwd, manifest })).toBe(manifest);
    for (const missing of ['none.yaml', '../hug.yaml/x']) {
      expect(() => locateManifest({ cwd, manifest: missing })).toThrow(
        refusal('EHUG_MANIFEST_MISSING', /^there is no /u),
      );
    }
  });
});

describe('readManifest', () => {
  it('gives the text without its byte order mark', async () => {
    const folder = await folderWith({ 'hug.yaml': '\uFEFFmodels:\r\n  ä: x\n' });
    expect(readManifest(path.join(folder, 'hug.yaml'))).toBe('models:\r\n  ä: x\n');
  });

  it('follows a symbolic link', async () => {
    const folder = await folderWith({ 'real.yaml': 'models: {}' });
    await symlink('real.yaml', path.join(folder, 'hug.yaml'));
    expect(readManifest(path.join(folder, 'hug.yaml'))).toBe('models: {}');
  });

  it('refuses what is not a file', async () => {
    const folder = await folderWith({ 'hug.yaml/': '' });
    expect(() => readManifest(path.join(folder, 'hug.yaml'))).toThrow(
      refusal('EHUG_FILE_SYSTEM', /is not a file$/u),
    );
    expect(() => readManifest(path.join(folder, 'none.yaml'))).toThrow(
      refusal('EHUG_FILE_SYSTEM', /does not exist$/u),
    );
    expect(() => readManifest('/dev/null')).toThrow(refusal('EHUG_FILE_SYSTEM'));
  });

  it('refuses what is not UTF-8', async () => {
    const folder = await folderWith({});
    const file = path.join(folder, 'hug.yaml');
    await writeFile(file, Buffer.from('\uFEFFmodels: {}', 'utf16le'));
    expect(() => readManifest(file)).toThrow(
      refusal('EHUG_MANIFEST_INVALID', /is not UTF-8 text$/u),
    );
  });
});
