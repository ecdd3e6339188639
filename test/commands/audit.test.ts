import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import type { RepoOptions } from '../support/hub/repository.ts';
import { lockedProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const FILES = { 'config.json': '{}\n', 'model.safetensors': lfs('weights') };

async function repository(options: Partial<RepoOptions> = {}) {
  made += 1;
  const id = `org/audited-${made}`;
  const repo = await hub.createRepo({ type: 'model', id, ...options });
  return { repo, id, first: await repo.commit({ files: FILES }) };
}

/** A project that has some new repositories locked, by the names of their entries. */
async function locked(names: readonly string[], text = '') {
  const repos: Record<string, Awaited<ReturnType<typeof repository>>> = {};
  for (const name of names) repos[name] = await repository();
  const lines = Object.entries(repos).map(([name, { id }]) => `  ${name}: ${id}\n`);
  const project = await lockedProject(hub, `${text}models:\n${lines.join('')}`);
  const one = (name: string) => {
    const found = repos[name];
    if (found === undefined) throw new Error(name);
    return found;
  };
  return { ...project, one };
}

const inject = (...rule: Parameters<Hub['inject']>) => {
  const injection = hub.inject(...rule);
  onTestFinished(() => injection.remove());
  return injection;
};

describe('audit', () => {
  it('finds nothing, with one request for each commit, and reads no file', async () => {
    const { run, one, lockText } = await locked(['a', 'b']);
    const before = await lockText();
    const { status, stdout, stderr } = await run(['audit']);
    expect([status, stdout, stderr]).toEqual([
      0,
      '2 entries audited: no findings\n',
      'models.a: no findings\nmodels.b: no findings\n',
    ]);
    const path = (name: string) => {
      const { id, first } = one(name);
      return `/api/models/${id}/revision/${first}?securityStatus=true`;
    };
    expect(hub.requests.map(({ url }) => url).toSorted()).toEqual([path('a'), path('b')]);
    expect(await lockText()).toBe(before);
  });

  it('asks once about two entries of one commit', async () => {
    const { id } = await repository();
    const { run } = await lockedProject(
      hub,
      `models: { a: ${id}, b: { repo: ${id}, include: ["*.safetensors"] } }`,
    );
    expect((await run(['audit'])).status).toBe(0);
    expect(hub.requests.length).toBe(1);
  });

  it('tells gone, renamed, replaced, disabled, gated, unreachable and unsafe apart', async () => {
    const names = 'gone renamed replaced disabled gated unreachable unsafe sound'.split(' ');
    const { run, one } = await locked(names);
    await hub.deleteRepo(one('gone').repo);
    hub.renameRepo(one('renamed').repo, `${one('renamed').id}-new`);
    const { id } = one('replaced').repo;
    await hub.deleteRepo(one('replaced').repo);
    const other = await hub.createRepo({ type: 'model', id });
    // The same commit under the same name, in another repository.
    const rev = await other.commit({ files: FILES });
    one('disabled').repo.disabled = true;
    one('gated').repo.gated = 'auto';
    const lost = one('unreachable').repo;
    await lost.commit({ parent: null, files: { 'a.txt': 'a' } });
    await lost.prune();
    one('unsafe').repo.scan = {
      scansDone: true,
      filesWithIssues: [
        { path: 'model.safetensors', level: 'unsafe' },
        { path: 'not-locked.bin', level: 'unsafe' },
      ],
    };
    inject({
      match: `/api/models/${id}/revision/${one('replaced').first}`,
      fault: { kind: 'json', body: () => ({ _id: other.internalId, id, sha: rev }) },
      times: Infinity,
    });

    const { status, stdout } = await run(['audit']);
    expect(status).toBe(1);
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/u).slice(0, 2).join(' '));
    expect(rows).toEqual([
      'entry finding',
      'models.disabled disabled',
      'models.gated gated',
      'models.gone gone',
      'models.renamed renamed',
      'models.replaced replaced',
      'models.unreachable unreachable',
      'models.unsafe unsafe',
      '8 entries audited: 7 findings',
      '',
    ]);

    const json = await run(['audit', '--json']);
    expect(json.status).toBe(1);
    expect(json.json().failed).toEqual([]);
    expect(json.json().findings).toMatchObject([
      { entry: 'disabled', kind: 'disabled', path: null },
      { entry: 'gated', kind: 'gated', message: expect.stringContaining('Ask for access on ') },
      { entry: 'gone', kind: 'gone', message: expect.stringContaining('is private') },
      { entry: 'renamed', kind: 'renamed', message: expect.stringContaining('-new') },
      { entry: 'replaced', kind: 'replaced', message: expect.stringContaining(other.internalId) },
      { entry: 'unreachable', kind: 'unreachable', message: expect.stringContaining('revision') },
      {
        entry: 'unsafe',
        type: 'model',
        kind: 'unsafe',
        path: 'model.safetensors',
        message: 'a scan of the Hub calls it unsafe',
      },
    ]);
  });

  it('calls a gated repository no finding when the token may read it', async () => {
    const { run, one } = await locked(['a']);
    one('a').repo.gated = 'manual';
    hub.addToken('reader');
    const { status } = await run(['audit'], { env: { HF_TOKEN: 'reader' } });
    expect(status).toBe(0);
    expect(hub.requests.length).toBe(2);
    hub.addToken('stranger', { repos: [] });
    const stranger = await run(['audit', '--json'], { env: { HF_TOKEN: 'stranger' } });
    expect(stranger.json().findings).toMatchObject([{ entry: 'a', kind: 'gated' }]);
  });

  it('takes paths as text and objects without a level, and leaves safe ones out', async () => {
    const { run, one } = await locked(['a']);
    one('a').repo.scan = {
      scansDone: true,
      filesWithIssues: ['config.json', { path: 'model.safetensors', level: 'Safe' }],
    };
    expect((await run(['audit', '--json'])).json().findings).toMatchObject([
      { path: 'config.json', message: 'a scan of the Hub calls it unsafe' },
    ]);
  });

  it('warns once where scans are not done, or the endpoint knows none', async () => {
    const { run, one } = await locked(['a', 'b']);
    one('a').repo.scan = { scansDone: false, filesWithIssues: [] };
    expect(await run(['audit', '--quiet'])).toMatchObject({
      status: 0,
      stderr: `warning: models.a: the Hub has not scanned all files of ${one('a').first} yet\n`,
    });
    inject({
      match: 'securityStatus',
      fault: { kind: 'json', body: (info: object) => ({ ...info, securityRepoStatus: null }) },
      times: Infinity,
    });
    expect((await run(['audit', '--quiet'])).stderr).toBe(
      'warning: models.a and 1 more: the endpoint says nothing of scans\n',
    );
  });

  it('checks the policy of the manifest, whether the lock is current or not', async () => {
    const { run, manifest, one } = await locked(['a']);
    const { id } = one('a');
    await manifest(`policy: { owners: [acme], licenses: [mit] }\nmodels: { a: ${id} }\n`);
    expect((await run(['audit', '--json'])).json().findings).toEqual([
      {
        entry: 'a',
        type: 'model',
        kind: 'policy',
        path: null,
        message: 'breaks the rule licenses: it declares no licence',
      },
      {
        entry: 'a',
        type: 'model',
        kind: 'policy',
        path: null,
        message: 'breaks the rule owners: it belongs to org',
      },
    ]);
  });

  it('finds a flagged file of what an entry needs', async () => {
    const base = await repository();
    const adapter = await hub.createRepo({ type: 'model', id: `org/adapter-${made}` });
    const files = { 'adapter_config.json': JSON.stringify({ base_model_name_or_path: base.id }) };
    await adapter.commit({ files });
    const { run } = await lockedProject(hub, `models: { lora: ${adapter.id} }`);
    base.repo.scan = { scansDone: true, filesWithIssues: ['model.safetensors'] };
    expect((await run(['audit', 'lora', '--json'])).json().findings).toMatchObject([
      { entry: `models/${base.id}@main`, kind: 'unsafe' },
    ]);
  });

  it('never takes an endpoint that does not answer for one that finds nothing', async () => {
    const { run, one } = await locked(['a', 'b']);
    inject({
      match: `/api/models/${one('a').id}/`,
      fault: { kind: 'status', status: 500 },
      times: Infinity,
    });
    const { status, stdout, stderr } = await run(['audit']);
    expect([status, stdout]).toEqual([1, '1 entry audited: no findings\n']);
    expect(stderr).toContain('error EHUG_HUB: models.a: the Hub answers 500');
    expect((await run(['audit', '--json'])).json().failed).toMatchObject([
      { entry: 'a', type: 'model', error: { code: 'EHUG_HUB' } },
    ]);
  });

  it('names the command that works without a network', async () => {
    const { run } = await locked(['a']);
    const { status, stderr } = await run(['audit', '--offline']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('error EHUG_OFFLINE')]);
    expect(stderr).toContain('nix-hug lock --check');
    expect(hub.requests).toEqual([]);
  });

  it('escapes what the Hub answers, and refuses what is no list of files', async () => {
    const { run, one } = await locked(['a']);
    one('a').repo.scan = {
      scansDone: true,
      filesWithIssues: [{ path: 'config.json', level: 'red\u001b[31m' }],
    };
    expect((await run(['audit'])).stdout).toContain('red\\u001b[31m');
    one('a').repo.scan = { scansDone: true, filesWithIssues: [7] };
    expect((await run(['audit'])).stderr).toContain('error EHUG_PROTOCOL: models.a');
  });

  it('makes a request for each of 500 entries, and waits as the Hub asks', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/many' });
    const revs: string[] = [];
    for (let index = 0; index < 500; index += 1) {
      revs.push(await repo.commit({ files: { 'a.json': `${index}` } }));
    }
    const lines = revs.map((rev, index) => `  e${index}: { repo: org/many, ref: ${rev} }\n`);
    const { run } = await lockedProject(hub, `models:\n${lines.join('')}`);
    const limit = inject({
      match: 'securityStatus',
      skip: 100,
      fault: { kind: 'status', status: 429, headers: { 'Retry-After': '1' } },
    });
    const { status, stdout } = await run(['audit']);
    expect([status, stdout]).toEqual([0, '500 entries audited: no findings\n']);
    expect([limit.hits, hub.requests.length]).toEqual([1, 501]);
  }, 120_000);
});
