import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import invalid from '../fixtures/lock/invalid.json' with { type: 'json' };
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp.ts';

// Locks and names made by somebody who means harm, for every command that reads a lock.

const CACHE = 'home/.cache';
const MANIFEST = 'models: { m: org/name }\n';

/** Every command that reads the lock of a project. */
const COMMANDS: readonly (readonly string[])[] = [
  ['lock'],
  ['lock', '--check'],
  ['update'],
  ['outdated'],
  ['ls'],
  ['ls', 'm'],
  ['fetch'],
  ['export'],
  ['import'],
  ['verify'],
  ['mirror', '../../home/.cache/m'],
  ['remove', 'm'],
];

/** Everything below a folder with its content. */
async function contentsOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.map(async (entry): Promise<[string, string]> => {
    const file = path.join(entry.parentPath, entry.name);
    return [
      path.relative(folder, file),
      entry.isFile() ? await readFile(file, 'latin1') : 'no file',
    ];
  });
  return new Map(await Promise.all(files));
}

/** A project between other files, with a home; nothing but what a command is for may change. */
async function besieged(lock: string) {
  const around = await tempFolder('around');
  const cwd = path.join(around, 'work', 'project');
  const home = path.join(around, 'home');
  await mkdir(cwd, { recursive: true });
  await mkdir(home);
  await writeFile(path.join(around, 'passwd'), 'secret');
  await writeFile(path.join(cwd, 'hug.yaml'), MANIFEST);
  await writeFile(path.join(cwd, 'hug.lock.json'), lock);
  return {
    around,
    run: (argv: readonly string[]) =>
      runCli([...argv, '--json'], {
        cwd,
        home,
        env: { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HUB_OFFLINE: '1', PATH: around },
      }),
  };
}

describe.each(COMMANDS.map((argv) => ({ argv, title: argv.join(' ') })))('$title', ({ argv }) => {
  it('refuses every lock that is wrong, and touches nothing', async () => {
    for (const { name, lock } of invalid) {
      const text = JSON.stringify(lock);
      const { around, run } = await besieged(text);
      const before = await contentsOf(around);
      const { status, json } = await run(argv);
      expect([name, status, json().error.code]).toEqual([
        name,
        2,
        expect.stringMatching(/^EHUG_LOCK_(?:INVALID|NEWER)$/u),
      ]);
      expect(await contentsOf(around)).toEqual(before);
    }
  });

  it('takes texts of 10 MB for what they are', async () => {
    const huge = 'x'.repeat(10_000_000);
    const entry = lockedEntry({ version: huge, select: { include: [huge] } });
    const { around, run } = await besieged(formatLock(lockOf({ m: entry })));
    const before = await contentsOf(around);
    const { status, json } = await run(argv);
    if (status !== 0 && status !== 3) expect(json().error.code).toMatch(/^EHUG_(?!INTERNAL)/u);
    const after = await contentsOf(around);
    if (argv[0] === 'remove') return;
    // An export begins a cache, and mirror a folder, before it finds that nothing can fill it.
    for (const name of after.keys()) if (name.startsWith(CACHE)) after.delete(name);
    expect(after).toEqual(before);
  });
});

/** Names that a shell, Nix, git, JavaScript or a careless program takes for more than a name. */
const NAMES = [
  '$(touch evil)',
  '`touch evil`',
  '; touch evil #',
  '& touch evil',
  '| touch evil',
  '> evil',
  '-rf',
  '--option',
  '"\'',
  '${builtins.abort "evil"}',
  "''${x}",
  '~',
  '*',
  '%2e%2e',
  '%2F',
  '..a',
  'a..',
  '...',
  '.git',
  '.ssh/authorized_keys',
  '__proto__',
  'constructor',
  'sub/__proto__',
  'a b',
  ' ',
  'default.nix',
  'x.drv',
  'CON',
  'e\u0301',
  '\u202efdp.exe',
];
const ENTRIES = ['outPath', '__toString', '__functor', 'type', 'drvPath', 'recurseForDerivations'];

describe('a repository with hostile names', () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
    const repo = await hub.createRepo({ type: 'model', id: 'org/hostile' });
    await repo.commit({
      files: NAMES.map((name, at) => [name, at % 2 === 0 ? `plain ${name}` : lfs(`large ${name}`)]),
    });
  });
  afterAll(() => hub.close());

  it('goes through every command and Nix, and leaves nothing elsewhere', async () => {
    const around = await tempFolder('around');
    const cwd = path.join(around, 'project');
    const home = path.join(around, 'home');
    await mkdir(cwd);
    const store = await isolatedStore();
    const manifest = ENTRIES.map((name) => `  ${name}: org/hostile\n`).join('');
    await writeFile(path.join(cwd, 'hug.yaml'), `models:\n${manifest}`);
    const run = async (...argv: readonly string[]) => {
      const env = {
        ...store.env,
        HF_ENDPOINT: hub.endpoint,
        HF_HOME: `${home}/hf`,
        XDG_CACHE_HOME: home,
      };
      const { status, stdout, stderr } = await runCli([...argv, '--json'], { cwd, home, env });
      expect([argv, status, stdout + stderr]).toEqual([argv, 0, expect.anything()]);
    };
    for (const command of ['lock', 'ls', 'export', 'import', 'fetch', 'verify', 'scan', 'update']) {
      await run(command);
    }
    await run('mirror', path.join(home, 'hf', 'mirror'));
    const lockFile = path.join(cwd, 'hug.lock.json');
    const library = `${LIBRARY} { pkgs = ${PKGS}; endpoint = "http://127.0.0.1:9"; }`;
    const expression = `((${library}).importLock ${nixString(lockFile)}).cache`;
    const cache = (await store.nix('nix-build', '--no-out-link', '--expr', expression)).trim();

    const { models } = parseLock(await readFile(lockFile, 'utf8'), 'hug.lock.json');
    const rev = models.get('outPath')?.rev ?? '';
    for (const folder of [path.join(home, 'hf', 'hub'), cache]) {
      const snapshot = path.join(folder, 'models--org--hostile', 'snapshots', rev);
      for (const [at, name] of NAMES.entries()) {
        const content = `${at % 2 === 0 ? 'plain' : 'large'} ${name}`;
        expect(await readFile(path.join(snapshot, name), 'utf8')).toBe(content);
      }
    }
    expect((await readdir(cwd)).toSorted()).toEqual(['hug.lock.json', 'hug.yaml']);
    expect((await readdir(around)).toSorted()).toEqual(['home', 'project']);
    expect((await readdir(home)).toSorted()).toEqual(['hf', 'nix-hug']);
  });
});
