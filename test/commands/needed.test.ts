import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { cachedProject, type CachedProject, importedLock, put } from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { withNeeds } from '../support/needs.ts';
import { callPython, describeClients } from '../support/python.ts';

// Commands take what the entries need along. The locks are made by hand, the repositories are real.

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const ids = { 'acme/lora': [], 'acme/other': [], 'org/base': ['base'], 'org/code': [] };
  for (const [id, aliases] of Object.entries(ids)) {
    const repo = await hub.createRepo({ type: 'model', id, aliases });
    await repo.commit({
      files: { 'config.json': `{"of":"${id}"}\n`, 'w.safetensors': lfs(`weights of ${id}`) },
    });
  }
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const ALL =
  'models: { lora: acme/lora, other: acme/other, base: hf:base, code: org/code }\ndatasets: {}\n';

const LORA = 'models: { lora: acme/lora }\n';

/** An adapter, its base, and code of which the base is the base. */
const CYCLE = { lora: ['base'], base: ['code'], code: ['base'] };

/** A project whose manifest is the second one, with a lock of the models of the first one. */
async function project(change: (lock: Lock) => Lock, manifest = LORA): Promise<CachedProject> {
  const made = await cachedProject(hub, ALL);
  await made.manifest(manifest);
  await made.writeLock(formatLock(change(await made.lock())));
  return made;
}

/** A lock without an entry. */
function without(lock: Lock, ...names: readonly string[]): Lock {
  const models = [...lock.models].filter(([name]) => !names.includes(name));
  return { ...lock, models: new Map(models) };
}

const adapter = () => project((lock) => withNeeds(without(lock, 'other'), CYCLE, ['base', 'code']));

const BASE = 'models/base@main';
const CODE = 'models/org/code@main';

const namesOf = ({ json }: { json: () => any }): string[] =>
  json().entries.map(({ name }: { name: string }) => name);

describe('fetch', () => {
  it('adds what an entry needs, so that a build of the lock downloads nothing', async () => {
    const made = await adapter();
    const fetched = await made.run(['fetch', 'lora', '--json']);
    expect(fetched.stderr).not.toContain('warning');
    expect(namesOf(fetched)).toEqual(['lora', BASE, CODE]);
    hub.clearRequests();
    const { stdout } = await made.run(['fetch']);
    expect(stdout).toBe('in the Nix store already: 6 files of 1 entry and 2 needed repositories\n');
    const expression = `with ${importedLock(made)}; builtins.concatMap
      (entry: builtins.attrValues entry.files)
      (builtins.attrValues models ++ builtins.attrValues needed)`;
    const built = await made.store.nix('nix-build', '--no-out-link', '--expr', expression);
    expect(built.trim().split('\n')).toHaveLength(6);
    expect(hub.requests).toEqual([]);
  });

  it('keeps it from the garbage collector by links of its own', async () => {
    const made = await adapter();
    expect((await made.run(['fetch', '--gc-root', 'roots'])).status).toBe(0);
    expect((await readdir(path.join(made.folder, 'roots'))).toSorted()).toEqual([
      'models.lora',
      'needed.models--base@main',
      'needed.models--org--code@main',
    ]);
    await made.store.nix('nix-store', '--gc');
    expect((await made.run(['fetch', '--dry-run'])).stdout).toContain('already: 6 files');
  });

  it('takes an entry of another group that is needed, and does not name it as left out', async () => {
    const manifest = `models:
  lora: acme/lora
  base: { repo: hf:base, groups: [gpu] }
  other: { repo: acme/other, groups: [gpu] }
`;
    const { run } = await project((lock) => {
      const needing = withNeeds(without(lock, 'code'), { lora: ['base'] }, []);
      const models = [...needing.models].map(([name, entry]) =>
        name === 'lora'
          ? ([name, entry] as const)
          : ([name, { ...entry, groups: ['gpu'] }] as const),
      );
      return { ...needing, models: new Map(models) };
    }, manifest);
    const fetched = await run(['fetch', '--dry-run', '--json']);
    expect(namesOf(fetched)).toEqual(['lora', 'base']);
    const { stdout, stderr } = await run(['fetch', '--dry-run']);
    expect(stdout).toContain('; of 4 files of 1 entry and 1 needed repository\n');
    expect(stderr).toBe('left out: models.other (gpu); --group NAME or --all-groups takes them\n');
    expect(namesOf(await run(['fetch', 'other', '--dry-run', '--json']))).toEqual(['other']);
  });

  it('escapes formatting characters in the ref of what is needed', async () => {
    const { run } = await project((lock) => {
      const base = lock.models.get('base');
      if (base === undefined) throw new Error('base is not locked');
      const odd = {
        ...lock,
        models: new Map([...lock.models, ['base', { ...base, ref: 'v\u202e1' }]]),
      };
      return withNeeds(without(odd, 'other', 'code'), { lora: ['base'] }, ['base']);
    });
    const { stdout } = await run(['fetch', '--dry-run']);
    expect(stdout).toContain(String.raw`needed.models/base@v\u202e1 config.json`);
    const fetched = await run(['fetch', '--gc-root', 'roots', '--verbose']);
    expect([fetched.status, fetched.stdout + fetched.stderr]).toEqual([
      0,
      expect.not.stringContaining('\u202e'),
    ]);
    expect((await run(['ls'])).stdout).toContain(String.raw`v\u202e1`);
  });

  it('takes all of needed for a whole lock, and for an entry what it needs alone', async () => {
    const { run } = await project(
      (lock) => withNeeds(lock, { lora: ['base'] }, ['base', 'code']),
      'models: { lora: acme/lora, other: acme/other }\n',
    );
    const names = async (...argv: string[]) => namesOf(await run([...argv, '--dry-run', '--json']));
    expect(await names('fetch')).toEqual(['lora', 'other', BASE, CODE]);
    expect(await names('fetch', 'lora')).toEqual(['lora', BASE]);
    expect(await names('fetch', 'other')).toEqual(['other']);
  });
});

describe('export', () => {
  describeClients((client) => {
    it('writes what an entry needs, so that both load offline', async () => {
      const made = await adapter();
      const { status, stdout, stderr } = await made.run(['export', 'lora']);
      expect(status).toBe(0);
      // One folder, for scripts.
      expect(stdout).toMatch(/^\S.*models--acme--lora\/snapshots\/[0-9a-f]{40}\n$/u);
      expect(stderr).toContain(
        `exported too, because entries need it: needed.${BASE}, needed.${CODE}\n`,
      );
      const env = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: made.cache };
      const settings = { home: made.home, endpoint: 'http://127.0.0.1:9', env };
      const outcomes = await callPython(
        client,
        settings,
        ['acme/lora', 'base', 'org/base', 'org/code', 'acme/other'].map((id) => ({
          call: 'snapshot_download',
          args: { repo_id: id, revision: 'main' },
        })),
      );
      expect(outcomes.map((outcome) => 'value' in outcome)).toEqual([
        true,
        true,
        true,
        true,
        false,
      ]);
    });
  });

  it('applies a selection to the named entry, and takes what the files that are left need', async () => {
    const { run } = await adapter();
    const files = async (...argv: string[]) =>
      (await run(['export', 'lora', ...argv, '--json']))
        .json()
        .entries.map(({ name, files: own }: { name: string; files: { path: string }[] }) => [
          name,
          ...own.map((file) => file.path),
        ]);
    const whole = ['config.json', 'w.safetensors'];
    expect(await files('--exclude', '*')).toEqual([
      ['lora', 'config.json'],
      [BASE, ...whole],
      [CODE, ...whole],
    ]);
    expect(await files('--file', 'w.safetensors')).toEqual([['lora', 'w.safetensors']]);
    const all = await run(['export', '--file', 'w.safetensors', '--json']);
    expect(namesOf(all)).toEqual(['lora']);
    expect(await files()).toEqual([
      ['lora', ...whole],
      [BASE, ...whole],
      [CODE, ...whole],
    ]);
  });

  it('narrows an entry once that something it needs needs again', async () => {
    const { run } = await project((lock) =>
      withNeeds(without(lock, 'other', 'code'), { lora: ['base'], base: ['lora'] }, ['base']),
    );
    const { json } = await run(['export', 'lora', '--exclude', '*', '--json']);
    expect(json().entries).toMatchObject([
      { name: 'lora', files: [{ path: 'config.json' }] },
      { name: BASE, files: [{ path: 'config.json' }, { path: 'w.safetensors' }] },
    ]);
    expect(json().entries).toHaveLength(2);
  });

  it('finds a repository that is only needed offline', async () => {
    const { run } = await adapter();
    await run(['fetch']);
    hub.clearRequests();
    const { status, stdout } = await run(['export', 'org/base', '--offline']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('models--org--base/snapshots/')]);
    expect(hub.requests).toEqual([]);
  });
});

describe('import', () => {
  async function withoutBase({ cache }: CachedProject): Promise<void> {
    for (const id of ['base', 'org--base']) {
      await rm(path.join(cache, `models--${id}`), { recursive: true });
    }
  }

  it('adds what an entry needs, and names the command that downloads what is missing', async () => {
    const made = await adapter();
    await made.run(['export', 'lora']);
    expect(namesOf(await made.run(['import', 'lora', '--json']))).toEqual(['lora', BASE, CODE]);

    const other = await adapter();
    await other.run(['export', 'lora']);
    await withoutBase(other);
    const { status, stderr } = await other.run(['import', 'lora']);
    expect(status).toBe(1);
    expect(stderr).toContain(`needed.${BASE}: 2 of 2 files are neither in`);
    expect(stderr).not.toContain('nix-hug fetch needed');
  });

  it('names an entry in the hint for another commit of what it needs', async () => {
    const made = await adapter();
    await made.run(['export', 'lora']);
    await withoutBase(made);
    const snapshot = path.join(made.cache, 'models--org--base', 'snapshots', 'd'.repeat(40));
    await put(path.join(snapshot, 'config.json'), '{}');
    const { stderr } = await made.run(['import', 'lora']);
    expect(stderr).toContain('Run nix-hug fetch models.lora, which downloads the rest of');
    expect(stderr).toContain('nix-hug update models.lora');
  });
});

describe('verify', () => {
  it('reads what an entry needs, and names the command that repairs it', async () => {
    const made = await adapter();
    await made.run(['export', 'lora']);
    const sound = await made.run(['verify', 'lora', '--strict', '--json']);
    expect([sound.status, namesOf(sound)]).toEqual([0, ['lora', BASE, CODE]]);
    const blobs = path.join(made.cache, 'models--org--code', 'blobs');
    for (const blob of await readdir(blobs)) await writeFile(path.join(blobs, blob), 'damaged');
    const { status, stdout } = await made.run(['verify', 'lora']);
    expect(status).toBe(1);
    expect(stdout).toContain(`needed.${CODE} config.json: `);
    expect(stdout.match(/repair: .*/gu)).toEqual(
      Array(2).fill('repair: nix-hug export models.lora'),
    );
    expect((await made.run(['export', 'models.lora'])).status).toBe(0);
    expect((await made.run(['verify'])).status).toBe(0);
  });

  it('counts what is missing of it as missing', async () => {
    const made = await adapter();
    await made.run(['export', 'lora']);
    await rm(path.join(made.cache, 'models--org--code'), { recursive: true });
    expect((await made.run(['verify', 'lora'])).status).toBe(0);
    const { status, stdout } = await made.run(['verify', 'lora', '--strict']);
    expect(status).toBe(1);
    expect(stdout).toContain('only in part: 1 entry\n  download: nix-hug fetch models.lora\n');
  });
});

describe('a name that is no entry', () => {
  it('is explained where entries need a repository of that name', async () => {
    const { run } = await adapter();
    const { status, stderr } = await run(['fetch', 'code']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining(
        'the lock has no entry "code"; it has org/code, since models.lora needs it',
      ),
    ]);
  });
});
