import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { encodePath } from '../../src/address.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { createProject } from '../support/project.ts';

const REV = 'c'.repeat(40);
const ODD = 'odd \u009b\u202e name';
const MODEL = lockedEntry({
  repo: 'org/big',
  files: new Map([
    ['config.json', lockedFile('a', { size: 601 })],
    ['model.safetensors', lockedFile('b', { size: 4_949_453_792, lfs: true })],
    [ODD, lockedFile('c', { size: 0, storeName: 'odd_name', url: encodePath(ODD) })],
  ]),
});
const LOCK = lockOf(
  { big: MODEL, both: lockedEntry() },
  { datasets: new Map([['both', lockedEntry({ repo: 'org/rows', ref: REV })]]) },
);
const MANIFEST = `
models: { big: org/big, both: org/name }
datasets: { both: { repo: org/rows, ref: ${REV} } }
`;

/** An adapter, whose base no entry is, and whose code an entry of a group is. */
const ADAPTERS: Lock = {
  ...lockOf({
    lora: lockedEntry({
      repo: 'acme/lora',
      needs: [
        { repo: 'org/base', ref: 'main', by: 'adapter_config.json' },
        { repo: 'org/mine', ref: 'main', by: 'config.json' },
      ],
    }),
    mine: lockedEntry({ repo: 'org/mine', groups: ['x'] }),
  }),
  needed: new Map([['models/org/base@main', lockedEntry({ repo: 'org/base' })]]),
};

/** A project that could reach no Hub. */
async function project(lock: Lock = LOCK, manifest = MANIFEST) {
  const made = await createProject('http://127.0.0.1:9', manifest);
  await made.writeLock(formatLock(lock));
  return made;
}

describe('ls', () => {
  it('lists the entries of the lock', async () => {
    const { run } = await project();
    const { status, stdout, stderr } = await run(['ls']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'models.big     org/big   main  cccccccccccc  3 files  4.95 GB',
      'models.both    org/name  main  cccccccccccc   1 file      3 B',
      'datasets.both  org/rows        cccccccccccc   1 file      3 B',
      '3 entries, 5 files, 4.95 GB',
      '',
    ]);
    expect((await run(['ls', '--json'])).json()).toEqual({
      entries: [
        {
          name: 'big',
          type: 'model',
          repo: 'org/big',
          ref: 'main',
          rev: REV,
          size: 4_949_454_393,
          files: 3,
          needs: [],
        },
        expect.objectContaining({ name: 'both', type: 'model' }),
        expect.objectContaining({ name: 'both', type: 'dataset', ref: REV }),
      ],
      needed: [],
    });
  });

  it('lists below an entry what it needs', async () => {
    const { run } = await project(
      ADAPTERS,
      'models: { lora: acme/lora, mine: { repo: org/mine, groups: [x] } }',
    );
    const { status, stdout, stderr } = await run(['ls']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'models.lora  acme/lora   main  cccccccccccc     1 file  3 B',
      '             └ org/base  main  cccccccccccc     1 file  3 B',
      '             └ org/mine  main  see models.mine',
      'models.mine  org/mine    main  cccccccccccc     1 file  3 B',
      '2 entries, 1 needed, 3 files, 9 B',
      '',
    ]);
    const { entries, needed } = (await run(['ls', '--json'])).json();
    expect(entries[0].needs).toEqual([
      { repo: 'org/base', ref: 'main', by: 'adapter_config.json' },
      { repo: 'org/mine', ref: 'main', by: 'config.json' },
    ]);
    expect(needed).toEqual([
      expect.objectContaining({
        name: 'models/org/base@main',
        type: 'model',
        repo: 'org/base',
        files: 1,
      }),
    ]);
  });

  it('does not list as left out what an entry of the group needs', async () => {
    const manifest =
      'models: { lora: acme/lora, mine: { repo: org/mine, groups: [x] }, other: { repo: org/o, groups: [y] } }';
    const { run } = await project(
      {
        ...ADAPTERS,
        models: new Map([
          ...ADAPTERS.models,
          ['other', lockedEntry({ repo: 'org/o', groups: ['y'] })],
        ]),
      },
      manifest,
    );
    const grouped = await run(['ls', '--group', 'y']);
    expect(grouped.stderr).toBe('');
    expect(grouped.stdout.split('\n')).toEqual([
      'models.lora   acme/lora   main  cccccccccccc  1 file  3 B',
      '              └ org/base  main  cccccccccccc  1 file  3 B',
      'models.mine   └ org/mine  main  cccccccccccc  1 file  3 B',
      'models.other  org/o       main  cccccccccccc  1 file  3 B',
      '2 entries, 2 needed, 4 files, 12 B',
      '',
    ]);
  });

  it('escapes formatting characters in a ref', async () => {
    const ref = 'v\u202e\ufeff1';
    const { run } = await project(
      lockOf({ big: { ...MODEL, ref } }),
      `models: { big: { repo: org/big, ref: "${ref}" } }`,
    );
    expect((await run(['ls'])).stdout).toContain(String.raw`org/big  v\u202e\ufeff1  cccc`);
    const { status, stdout } = await run(['lock', '--check']);
    expect([status, stdout]).toEqual([0, 'hug.lock.json is up to date\n']);
  });

  it('lists the files of an entry, with control characters escaped', async () => {
    const { run } = await project();
    const { status, stdout } = await run(['ls', 'big']);
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `model org/big at ${REV}`,
      '  601 B       config.json',
      '4.95 GB  LFS  model.safetensors',
      '    0 B       odd \\u009b\\u202e name',
      '3 files, 4.95 GB',
      '',
    ]);
  });

  it('lists the files of an entry as JSON', async () => {
    const { run } = await project();
    expect((await run(['ls', 'big', '--json'])).json()).toEqual({
      repo: 'org/big',
      type: 'model',
      rev: REV,
      size: 4_949_454_393,
      files: [
        { path: 'config.json', size: 601, lfs: false },
        { path: 'model.safetensors', size: 4_949_453_792, lfs: true },
        { path: 'odd \u009b\u202e name', size: 0, lfs: false },
      ],
    });
  });

  it('accepts a selection, but neither a revision nor a type', async () => {
    const { run } = await project();
    const chosen = await run(['ls', 'big', '--include', '*.gguf', '--json']);
    expect(chosen.json().files.map(({ path }: { path: string }) => path)).toEqual([
      'config.json',
      ODD,
    ]);
    expect(chosen.stderr).toContain('include "*.gguf" matches no LFS file');
    for (const option of [['--ref', 'dev'], ['--dataset'], ['--repo-type', 'model']]) {
      expect((await run(['ls', 'big', ...option])).status).toBe(2);
    }
    expect((await run(['ls', '--file', 'x'])).status).toBe(2);
  });

  it('is ambiguous when a model and a dataset have the name', async () => {
    const { run } = await project();
    const { status, stderr } = await run(['ls', 'both']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_ENTRY_AMBIGUOUS')]);
    expect(stderr).toContain('models.both or datasets.both');
    expect((await run(['ls', 'datasets.both', '--json'])).json().repo).toBe('org/rows');
  });

  it('reports an unknown entry, and a lock that is out of date or empty', async () => {
    const { run } = await project();
    const unknown = await run(['ls', 'bog']);
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('"big"')]);
    const { run: stale } = await project(lockOf({}));
    const { stdout, stderr, status } = await stale(['ls']);
    expect([status, stdout]).toEqual([0, 'the lock has no entries\n']);
    expect(stderr).toContain('out of date');
  });
});
