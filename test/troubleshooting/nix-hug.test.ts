import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cachedProject } from '../support/cached-project.ts';
import { conflictedByGit } from '../support/git-conflict.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { createProject, lockedProject } from '../support/project.ts';
import { runCli } from '../support/run-cli.ts';
import { smallDisk } from '../support/small-disk.ts';
import { serve } from '../support/served.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';
import { messagesOf, patternOf } from '../support/troubleshooting.ts';

// Each message of nix-hug in docs/troubleshooting.md, as a command prints it.

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  await create('org/name');
  const dataset = await hub.createRepo({ type: 'dataset', id: 'org/both' });
  await dataset.commit({ files: { 'rows.csv': 'a\n' } });
  await create('org/both');
  await create('org/quants', { 'a-Q4_K_M.gguf': lfs('q4'), 'a-Q8_0.gguf': lfs('q8') });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({ files: { 'model.safetensors': lfs('gated') } });
  const disabled = await hub.createRepo({ type: 'model', id: 'org/disabled', disabled: true });
  await disabled.commit({ files: { 'config.json': '{}' } });
  await create('org/lora', {
    'adapter_config.json': '{"base_model_name_or_path":"org/gone","peft_type":"LORA"}',
  });
  await create('org/pickle', { 'pytorch_model.bin': lfs('pickle') });
  hub.addToken('hf_known');
});
afterAll(() => hub.close());

type Files = Parameters<Repository['commit']>[0]['files'];

async function create(
  id: string,
  files: Files = { 'config.json': '{}\n', 'model.safetensors': lfs(`of ${id}`) },
) {
  const repo = await hub.createRepo({ type: 'model', id });
  await repo.commit({ files });
  return repo;
}

/** What `lock` says of a model. */
async function lock(model: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const project = await createProject(hub.endpoint, `models: { m: ${model} }\n`);
  return (await project.run(['lock'], { env })).stderr;
}

/** What a command says in a project that has `org/name` locked. */
async function locked(...argv: readonly string[]): Promise<string> {
  const project = await lockedProject(hub, 'models: { m: org/name }\n');
  return (await project.run(argv)).stderr;
}

/** What a command says to somebody without Nix who has `org/name` locked, and not downloaded. */
async function user(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { run } = await hfUser(hub.endpoint, 'models: { m: org/name }\n');
  return (await run(argv, env)).stderr;
}

/** What a command says in a process of its own, where programs can be started. */
async function spawned(...argv: readonly string[]): Promise<string> {
  const { folder, env } = await hfUser(hub.endpoint, 'models: { m: org/name }\n');
  return (await spawnCli(argv, { cwd: folder, env }).ended).stderr;
}

type Skip = (note: string) => void;

const ENTRY = 'models: { m: org/name }\n';

/** A project that is not locked. */
const fresh = () => createProject(hub.endpoint, ENTRY);

/** What a command says where no project is locked. */
async function unlocked(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await (await fresh()).run(argv, { env })).stderr;
}

/** What a command says of a lock that is not what nix-hug wrote. */
async function withLock(text: string, ...argv: readonly string[]): Promise<string> {
  const project = await fresh();
  await project.writeLock(text);
  return (await project.run(argv)).stderr;
}

/** What produces the messages of the page; the keys are these messages. */
const PRODUCERS: Readonly<Record<string, (skip: Skip) => Promise<string>>> = {
  'EHUG_MANIFEST_MISSING: there is no hug.yaml in … or above it': async () =>
    (await runCli(['lock'], { cwd: await tempFolder() })).stderr,
  'EHUG_MANIFEST_INVALID: hug.yaml has a problem': () => lock('{ repo: org/name, revision: main }'),
  'EHUG_ENTRY_UNKNOWN: the lock has no entry "…"': () => locked('fetch', 'other'),
  'EHUG_LOCK_MISSING: there is no hug.lock.json': () => unlocked(['fetch']),
  'hug.lock.json is out of date; run nix-hug lock': async () => {
    const project = await lockedProject(hub, ENTRY);
    await project.manifest('models: { other: org/name }\n');
    return (await project.run(['lock', '--check'])).stdout;
  },
  'EHUG_LOCK_STALE: hug.lock.json is out of date': async () => {
    const { folder, run } = await hfUser(hub.endpoint, ENTRY);
    await writeFile(path.join(folder, 'hug.yaml'), 'models: { other: org/name }\n');
    return (await run(['run', '--', 'true'])).stderr;
  },
  'EHUG_LOCK_CONFLICT: hug.lock.json has conflict markers': async () => {
    const base = (await (await lockedProject(hub, ENTRY)).lockText()) ?? '';
    const sides = ['a', 'b'].map((name) => base.replace('"m"', `"${name}"`));
    return withLock(await conflictedByGit('merge', [base, ...sides]), 'fetch');
  },
  'EHUG_LOCK_INVALID: hug.lock.json is not a valid lock': () => withLock('{', 'fetch'),
  'EHUG_LOCK_NEWER: hug.lock.json has lockfileVersion …; this nix-hug reads up to …': () =>
    withLock('{ "lockfileVersion": 3, "models": {}, "datasets": {} }\n', 'fetch'),
  'EHUG_LOCK_OLD: hug.lock.json has version 1 of the format': () =>
    withLock('{ "lockfileVersion": 1, "models": {}, "datasets": {} }\n', 'add', 'org/quants'),
  'EHUG_GROUP_UNKNOWN: no entry is in the group "…"': () => locked('fetch', '--group', 'gpu'),
  'EHUG_REPO_INVALID: addresses of git are not supported': () =>
    unlocked(['add', 'git+https://git.example/org/name']),
  'EHUG_REPO_AMBIGUOUS: … is a model and a dataset': () => locked('ls', 'org/both'),
  'locked from … (HF_ENDPOINT), but nix build will ask …': async () => {
    const { folder } = await fresh();
    const env = { HF_ENDPOINT: hub.endpoint };
    return (await runCli(['lock'], { cwd: folder, env })).stderr;
  },

  'EHUG_REPO_NOT_FOUND: … does not exist, or is private': () => lock('org/nothing'),
  'EHUG_GATED: … is gated': () => lock('org/gated'),
  'EHUG_TOKEN: … the Hub rejected the token': () => lock('org/name', { HF_TOKEN: 'hf_unknown' }),
  'EHUG_FORBIDDEN: … the Hub forbids …': () => {
    injectAlways(hub, '/api/', { kind: 'status', status: 403 });
    return lock('org/name');
  },
  'EHUG_DISABLED: … the Hub has disabled …': () => lock('org/disabled'),
  'EHUG_REVISION_NOT_FOUND: … has no revision "…"': () => lock('{ repo: org/name, ref: dev }'),
  'EHUG_REPO_REPLACED: … is another repository than the one that … is locked to': async () => {
    const repo = await create('org/taken');
    const project = await lockedProject(hub, 'models: { m: org/taken }\n');
    await hub.deleteRepo(repo);
    await create('org/taken');
    return (await project.run(['update'])).stderr;
  },
  'EHUG_RATE_LIMIT: … the rate limit of the Hub is used up': () => {
    const headers = { 'retry-after': '9999' };
    injectAlways(hub, '/api/', { kind: 'status', status: 429, headers });
    return lock('org/name');
  },

  'EHUG_SELECTION: … no GGUF file with the quant … at this commit': () => lock('org/quants:Q5_K_M'),
  'EHUG_SELECTION: … no weights in the format … at this commit': () =>
    lock('{ repo: org/name, format: gguf }'),
  'EHUG_SELECTION: … no such file at this commit': () => lock('{ repo: org/name, files: [a.bin] }'),
  'include "…" matches no LFS file': () => lock('{ repo: org/name, include: ["*.bin"] }'),
  'EHUG_VERSION: … no tag of … is in the range …': () => lock('{ repo: org/name, version: ^1.0 }'),
  'EHUG_DEPENDENCY: … models.m needs it (base_model_name_or_path in adapter_config.json)': () =>
    lock('org/lora'),
  'EHUG_POLICY: … breaks the rule formats: …': async () => {
    const manifest = 'policy: { formats: safe }\nmodels: { m: org/pickle }\n';
    return (await (await createProject(hub.endpoint, manifest)).run(['lock'])).stderr;
  },

  'EHUG_NETWORK: … the connection to … failed': () =>
    unlocked(['lock'], { HF_ENDPOINT: 'http://127.0.0.1:9' }),
  'EHUG_OFFLINE: resolving … needs the network': () => unlocked(['lock', '--offline']),
  'EHUG_HUB: … the Hub answers 500': () => {
    injectAlways(hub, '/api/', { kind: 'status', status: 500 });
    return lock('org/name');
  },
  'EHUG_NOT_SERVED: … the endpoint … does not serve …': () => {
    injectAlways(hub, '/tree/', { kind: 'status', status: 404 });
    return lock('org/name');
  },
  'EHUG_PROTOCOL: … is not JSON': () => {
    injectAlways(hub, '/api/', { kind: 'html' });
    return lock('org/name');
  },
  'EHUG_INTEGRITY: … has the digest …, expected …': () => {
    injectAlways(hub, ({ origin }) => origin === 'cdn', { kind: 'corrupt' });
    return user(['export']);
  },
  'EHUG_DISK_FULL: not enough disk space in …: … needed, … free': async (skip) => {
    const { folder } = await smallDisk(64 * 1024, skip);
    await create('org/large', { 'w.bin': lfs.generated({ size: 1024 * 1024, seed: 1 }) });
    const env = { HF_HUB_CACHE: path.join(folder, 'hub') };
    const { run } = await hfUser(hub.endpoint, 'models: { m: org/large }\n', env);
    return (await run(['export'])).stderr;
  },
  'EHUG_FILE_SYSTEM: cannot write to …': () => user(['export'], { HF_HUB_CACHE: '/dev/null/hub' }),

  'EHUG_NIX_MISSING: nix-instantiate is not on PATH': () => user(['fetch']),
  'EHUG_NIX: … failed': () => {
    const noDaemon = { NIX_REMOTE: 'daemon', NIX_STATE_DIR: '/nonexistent' };
    return user(['fetch'], { PATH: process.env['PATH'] ?? '', ...noDaemon });
  },
  'EHUG_OFFLINE: … is neither in the Nix store nor in the Hugging Face cache': () =>
    user(['export', '--offline']),
  'EHUG_NOT_CACHED: … neither in the Nix store nor in the Hugging Face cache': async () =>
    (await (await cachedProject(hub, ENTRY)).run(['import'])).stderr,
  'repair: nix-hug export …': async () => {
    const { cache, run } = await hfUser(hub.endpoint, ENTRY);
    await run(['export']);
    const blobs = path.join(cache, 'models--org--name', 'blobs');
    const names = await readdir(blobs);
    await Promise.all(names.map((name) => writeFile(path.join(blobs, name), 'damaged')));
    return (await run(['verify'])).stdout;
  },
  'broken links; download or export the repository again': async () => {
    const { cache, run } = await hfUser(hub.endpoint, ENTRY);
    await run(['export']);
    await rm(path.join(cache, 'models--org--name', 'blobs'), { recursive: true });
    return (await run(['scan'])).stdout;
  },

  'EHUG_PROGRAM_NOT_FOUND: "…" was not found': () => spawned('run', '--', 'no-such-program'),
  'EHUG_PROGRAM: "…" cannot be executed': () => spawned('run', '--', '/etc/passwd'),
  'EHUG_LISTEN: cannot listen at …': async () => {
    const { host } = new URL(hub.endpoint);
    return locked('serve', '--listen', host);
  },
  '… of … files not on this machine, and answered by 404': async () => {
    const { folder, env } = await hfUser(hub.endpoint, ENTRY);
    const server = await serve({ cwd: folder, env });
    server.child.kill('SIGTERM');
    return (await server.ended).stderr;
  },
  '… is an address that other machines may reach': () => locked('serve', '--listen', '0.0.0.0:0'),
};

it('are all of those that the page has of nix-hug', () => {
  expect(Object.keys(PRODUCERS)).toEqual(messagesOf('nix-hug'));
});

describe('nix-hug says', () => {
  for (const [message, produce] of Object.entries(PRODUCERS)) {
    it(message, async ({ skip }) => {
      expect(await produce(skip)).toMatch(patternOf(message));
    });
  }
});

describe('the comparison', () => {
  it('misses a message that says something else', () => {
    expect('error EHUG_GATED: models.m: model org/gated is open').not.toMatch(
      patternOf('EHUG_GATED: … is gated'),
    );
  });

  it('reads the messages of a page, and fails for a section that no test has', () => {
    const page = (section: string) => `# Page\n\n## ${section}\n\n| \`EHUG_X: y\` | z | a |\n`;
    expect(messagesOf('nix', page('Nix'))).toEqual(['EHUG_X: y']);
    expect(messagesOf('nix-hug', page('Nix'))).toEqual([]);
    expect(() => messagesOf('nix', page('Elsewhere'))).toThrow('Elsewhere');
  });
});
