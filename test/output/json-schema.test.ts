import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { OUTPUT_SCHEMAS, type OutputName } from '../../src/output/json-schema.ts';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { withNeeds } from '../support/needs.ts';
import { describeNix, NIXPKGS } from '../support/nix.ts';
import { createProject, type Project } from '../support/project.ts';
import type { CliRun } from '../support/run-cli.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

// The outputs of commands match their published schemas.

/** A project whose lock is behind: a branch moved, and a newer version is out. */
interface Sample extends Project {
  readonly id: string;
  readonly repo: Repository;
}

type Run = (project: Sample) => Promise<CliRun>;

const argv =
  (...args: readonly string[]): Run =>
  ({ run }) =>
    run([...args, '--json']);

const ofRepository =
  (...args: readonly string[]): Run =>
  ({ run, id }) =>
    run([...args, id, '--json']);

/** Runs a command on a lock whose entry `range` needs what was the entry `branch`. */
async function withNeeded(
  { run, lockText, writeLock }: Sample,
  ...args: readonly string[]
): Promise<CliRun> {
  const lock = parseLock((await lockText()) ?? '', 'hug.lock.json');
  await writeLock(formatLock(withNeeds(lock, { range: ['branch'] }, ['branch'])));
  return run([...args, '--json']);
}

/** The runs that show the output of each schema; those in `NIX_RUNS` need Nix. */
const RUNS: Readonly<Record<Exclude<OutputName, keyof typeof NIX_RUNS>, readonly Run[]>> = {
  error: [argv('frobnicate'), argv('update', 'nobody'), argv('fetch', 'no/body', '--dry-run')],
  lock: [
    async ({ run, manifest, id }) => {
      await manifest(
        `models: { fresh: ${id}, fixed: { repo: ${id}, include: ["*.safetensors"] } }`,
      );
      return run(['lock', '--json']);
    },
  ],
  audit: [
    async ({ run, repo }) => {
      repo.scan = {
        scansDone: false,
        filesWithIssues: [{ path: 'w.safetensors', level: 'unsafe' }],
      };
      return run(['audit', '--json']);
    },
    async ({ run }) => {
      hub.inject({ match: 'securityStatus', fault: { kind: 'html' } });
      return run(['audit', '--json']);
    },
  ],
  init: [
    async ({ run }) => {
      const cwd = await tempFolder('empty');
      return run(['init', '--flake', '--json'], { cwd });
    },
  ],
  'init-from-code': [
    async ({ run }) => {
      const cwd = await tempFolder('code');
      const source =
        'M.from_pretrained("org/name")\nM.from_pretrained(x)\nM.from_pretrained("a.pt")';
      await writeFile(path.join(cwd, 'a.py'), source);
      await run(['init', '--from-code', '.'], { cwd });
      await writeFile(path.join(cwd, 'b.py'), 'load_dataset("org/data", revision="v1")');
      return run(['init', '--from-code', '.', '--json'], { cwd });
    },
  ],
  add: [ofRepository('add', '--name', 'more'), argv('add', 'hf:org/added')],
  remove: [argv('remove', 'range', 'fixed')],
  scan: [
    argv('scan'),
    async ({ run }) => {
      const cache = await tempFolder('cache');
      const repo = path.join(cache, 'models--org--name');
      const snapshot = path.join(repo, 'snapshots', 'c'.repeat(40));
      await mkdir(snapshot, { recursive: true });
      await writeFile(path.join(snapshot, 'config.json'), '{}');
      await symlink('nowhere', path.join(snapshot, 'broken'));
      return run(['scan', '--json'], { env: { HF_HUB_CACHE: cache } });
    },
  ],
  export: [
    async ({ run, id }) => {
      const env = { HF_HUB_CACHE: await tempFolder('cache') };
      await run(['export', 'branch'], { env });
      return run(['export', `hf:${id}`, '--json'], { env });
    },
    async ({ run }) => run(['export', '--json'], { env: { HF_HUB_CACHE: await tempFolder() } }),
  ],
  env: [
    async ({ run }) => {
      const folder = await tempFolder('cache');
      return run(['env', '--json'], {
        env: { HF_HOME: folder, XDG_CACHE_HOME: folder, PATH: folder },
      });
    },
  ],
  verify: [
    async ({ run }) => {
      const env = { HF_HUB_CACHE: await tempFolder('cache'), PATH: await tempFolder('no Nix') };
      await run(['export'], { env });
      return run(['verify', '--json'], { env });
    },
  ],
  serve: [
    async ({ folder }) => {
      const env = { HF_HUB_CACHE: await tempFolder('cache'), PATH: await tempFolder('no Nix') };
      const words = ['serve', '--listen', '127.0.0.1:0', '--json'];
      const { child, ended } = spawnCli(words, { cwd: folder, env });
      if (child.stdout !== null) await once(child.stdout, 'data');
      child.kill('SIGTERM');
      const { status, stdout, stderr } = await ended;
      return { status: status ?? 1, stdout, stderr, json: () => JSON.parse(stdout) };
    },
  ],
  mirror: [async (made) => withNeeded(made, 'mirror', await tempFolder('mirror'))],
  'lock-check': [
    argv('lock', '--check'),
    async ({ run, manifest }) => {
      await manifest('endpoint: https://hub.example\nmodels: {}');
      return run(['lock', '--check', '--json']);
    },
  ],
  update: [
    argv('update', '--dry-run'),
    argv('update'),
    async ({ run, repo, manifest, id }) => {
      await manifest(`models: { fresh: ${id} }`);
      await run(['update']);
      await repo.commit({ files: { 'README.md': '# B\n' } });
      return run(['update', '--significant', '--json']);
    },
    async ({ run, manifest, id }) => {
      await manifest(`models: { fresh: ${id} }`);
      return run(['update', '--json']);
    },
  ],
  diff: [
    async ({ run, lockText, folder }) => {
      await writeFile(path.join(folder, 'old.json'), (await lockText()) ?? '');
      await run(['update']);
      await run(['remove', 'fixed']);
      return run(['diff', 'old.json', '--json']);
    },
  ],
  outdated: [
    argv('outdated'),
    async ({ run, manifest, id }) => {
      await manifest(
        `models: { fresh: ${id}, gone: no/body, range: { repo: ${id}, version: ^9 } }`,
      );
      return run(['outdated', '--json']);
    },
  ],
  ls: [argv('ls', 'branch'), ofRepository('ls')],
  'ls-entries': [argv('ls'), (made) => withNeeded(made, 'ls')],
  why: [(made) => withNeeded(made, 'why', made.id), argv('why', 'nothing')],
  sbom: [argv('sbom', '--output', 'bom.json')],
  completion: [argv('completion', 'bash'), argv('completion', 'fish')],
  'fetch-url-dry-run': [ofRepository('fetch', '--dry-run')],
};

const NIX_RUNS = {
  fetch: [['fetch', '--dry-run'], ['fetch', 'branch'], ['fetch', 'branch'], ['import']],
  'fetch-url': [
    ['fetch', 'hf:REPOSITORY'],
    ['import', 'hf:REPOSITORY'],
  ],
  import: [
    ['import', 'branch', 'hf:REPOSITORY'],
    ['import', 'hf:REPOSITORY', 'hf:org/added'],
  ],
  'import-all': [
    ['import-all', '--dry-run'],
    ['import-all', '--yes'],
  ],
} satisfies Partial<Record<OutputName, readonly (readonly string[])[]>>;

const SCHEMAS: ReadonlyMap<string, ValidateFunction> = new Map(
  Object.keys(OUTPUT_SCHEMAS).map((name) => {
    const file = new URL(`../../schemas/output/${name}.schema.json`, import.meta.url);
    return [name, new Ajv().compile(JSON.parse(readFileSync(file, 'utf8')))];
  }),
);

/** Names of the schemas that a document fits. */
const fitting = (document: unknown): string[] =>
  [...SCHEMAS].flatMap(([name, accepts]) => (accepts(document) ? [name] : []));

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
  const added = await hub.createRepo({ type: 'model', id: 'org/added' });
  await added.commit({ files: { 'config.json': '{}\n' } });
});
afterAll(() => hub.close());

async function sample(): Promise<Sample> {
  made += 1;
  const id = `org/repo-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  const first = await repo.commit({ files: { 'README.md': '# A\n', 'w.safetensors': lfs('w') } });
  await repo.tag('v1.0.0', first);
  const project = await createProject(
    hub.endpoint,
    `
models:
  branch: ${id}
  range: { repo: ${id}, version: ^1.0 }
  fixed: { repo: ${id}, ref: ${first} }
`,
  );
  const { status, stderr } = await project.run(['lock']);
  if (status !== 0) throw new Error(stderr);
  await repo.tag('v2.0.0', await repo.commit({ files: { 'README.md': null, 'x.bin': lfs('x') } }));
  const home = await tempFolder('home');
  return { ...project, run: (args, world) => project.run(args, { home, ...world }), id, repo };
}

describe('the output of', () => {
  it.each(Object.entries(RUNS))('%s matches its schema and no other', async (name, runs) => {
    for (const run of runs) {
      const { json } = await run(await sample());
      expect(fitting(json()), JSON.stringify(json(), null, 2)).toEqual([name]);
    }
  });
});

describeNix('the output, with a store, of', (nix) => {
  it.each(Object.entries(NIX_RUNS))('%s matches its schema and no other', async (name, runs) => {
    const { run, id } = await sample();
    const env = {
      ...nix().environment,
      XDG_CACHE_HOME: path.join(nix().folder, 'cache'),
      NIX_PATH: `nixpkgs=${NIXPKGS}`,
      HF_HUB_CACHE: await tempFolder('cache'),
    };
    expect((await run(['export'], { env })).status).toBe(0);
    expect((await run(['export', `hf:${id}`, 'hf:org/added'], { env })).status).toBe(0);
    for (const args of runs) {
      const words = args.map((word) => word.replace('REPOSITORY', id));
      const { json } = await run([...words, '--json'], { env });
      expect(fitting(json()), JSON.stringify(json(), null, 2)).toEqual([name]);
    }
  });
});
