import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import {
  callPython,
  describeClients,
  type PythonCall,
  type PythonClient,
  type PythonOutcome,
} from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

const FILES: Readonly<Record<string, string>> = {
  'README.md': '# Tiny\n',
  'config.json': '{}\n',
  'empty.txt': '',
  'nested/deep/down/tokenizer.json': '{"a":1}',
  'with space/ünïcode#%+&.txt': 'größe',
};
const LFS_FILES: Readonly<Record<string, string>> = {
  'model.safetensors': 'weights '.repeat(100_000),
  'unet/0001.bin': 'part',
  'zero.bin': '',
};
const READER = 'hf_test_reader';
const STRANGER = 'hf_test_stranger';

let hub: Hub;
let repo: Repository;
let main: string;
let other: string;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(READER);
  hub.addToken(STRANGER, { repos: [], pending: ['acme/pending'] });
  repo = await hub.createRepo({ type: 'model', id: 'acme/tiny', aliases: ['tiny'] });
  main = await repo.commit({
    files: [
      ...Object.entries(FILES),
      ...Object.entries(LFS_FILES).map(([name, content]) => [name, lfs(content)] as const),
    ],
  });
  other = await repo.commit({ branch: 'feat/x', parent: main, files: { 'config.json': 'other' } });
  await repo.tag('v1.0', main);
  await repo.tag('annotated', other, { annotated: true });
  await repo.pullRequest(1, other);
  const gated = await hub.createRepo({ type: 'model', id: 'acme/gated', gated: 'manual' });
  await gated.commit({ files: { 'README.md': 'open', 'config.json': 'closed', w: lfs('closed') } });
  const pending = await hub.createRepo({ type: 'model', id: 'acme/pending', gated: 'manual' });
  await pending.commit({ files: { 'config.json': 'closed' } });
  const disabled = await hub.createRepo({ type: 'model', id: 'acme/disabled', disabled: true });
  await disabled.commit({ files: { 'config.json': '{}' } });
  const dataset = await hub.createRepo({ type: 'dataset', id: 'acme/numbers' });
  const rows = await dataset.commit({ files: { 'data/rows.csv': '1\n2\n' } });
  await dataset.convert('parquet', rows);
});

afterAll(() => hub.close());

describeClients((client) => {
  beforeEach(() => {
    hub.clearRequests();
    hub.options.pageSize = 1000;
  });

  it('downloads a snapshot of a branch byte for byte', async () => {
    const [snapshot] = await outcomesOf(client, [
      { call: 'snapshot_download', args: { repo_id: 'acme/tiny' } },
    ]);
    expect(snapshot).toEqual({ value: expect.stringMatching(`/snapshots/${main}$`) });
    expect(await contentsOf(snapshot)).toEqual({ ...FILES, ...LFS_FILES });
  });

  it('downloads a snapshot of a dataset', async () => {
    const [snapshot] = await outcomesOf(client, [
      { call: 'snapshot_download', args: { repo_id: 'acme/numbers', repo_type: 'dataset' } },
    ]);
    expect(await contentsOf(snapshot)).toEqual({ 'data/rows.csv': '1\n2\n' });
  });

  it('lists a tree over several pages', async () => {
    hub.options.pageSize = 7;
    const [tree] = await outcomesOf(client, [
      { call: 'list_repo_tree', args: { repo_id: 'acme/tiny', recursive: true } },
    ]);
    const folders = ['nested', 'nested/deep', 'nested/deep/down', 'unet', 'with space'];
    const files = Object.keys({ ...FILES, ...LFS_FILES });
    expect(tree).toMatchObject({
      value: [...folders, ...files.toSorted()].map((path) => ({ path })),
    });
    expect(hub.requests.filter(({ url }) => url.includes('/tree/'))).toHaveLength(2);
  });

  it('lists a folder whose name needs encoding', async () => {
    const [tree] = await outcomesOf(client, [
      { call: 'list_repo_tree', args: { repo_id: 'acme/tiny', path_in_repo: 'nested/deep' } },
    ]);
    expect(tree).toMatchObject({ value: [{ path: 'nested/deep/down' }] });
  });

  it('reads digests, last commits and scans of expanded entries', async () => {
    const [expanded, digests] = await outcomesOf(client, [
      {
        call: 'get_paths_info',
        args: { repo_id: 'acme/tiny', paths: ['config.json', 'none'], expand: true },
      },
      { call: 'get_paths_info', args: { repo_id: 'acme/tiny', paths: ['zero.bin'] } },
    ]);
    expect(expanded).toMatchObject({
      value: [
        {
          path: 'config.json',
          size: 3,
          last_commit: { oid: main, title: 'Commit 0' },
          security: { safe: true },
        },
      ],
    });
    expect(digests).toMatchObject({
      value: [{ lfs: { size: 0, sha256: await lfs('').sha256(), pointer_size: 126 } }],
    });
  });

  it('lists refs', async () => {
    const [refs, datasetRefs] = await outcomesOf(client, [
      { call: 'list_repo_refs', args: { repo_id: 'acme/tiny', include_pull_requests: true } },
      { call: 'list_repo_refs', args: { repo_id: 'acme/numbers', repo_type: 'dataset' } },
    ]);
    expect(refs).toMatchObject({
      value: {
        branches: [
          { name: 'feat/x', ref: 'refs/heads/feat/x', target_commit: other },
          { name: 'main', ref: 'refs/heads/main', target_commit: main },
        ],
        tags: [{ name: 'annotated' }, { name: 'v1.0', target_commit: main }],
        pull_requests: [{ name: '1', ref: 'refs/pr/1', target_commit: other }],
        converts: [],
      },
    });
    expect(datasetRefs).toMatchObject({
      value: { converts: [{ name: 'parquet', ref: 'refs/convert/parquet' }] },
    });
  });

  it('reads the info of a repository at any revision', async () => {
    const revisions = [
      'main',
      'v1.0',
      'annotated',
      'feat/x',
      'refs/pr/1',
      other,
      other.slice(0, 8),
    ];
    const infos = await outcomesOf(
      client,
      revisions.map((revision) => ({
        call: 'repo_info',
        args: { repo_id: 'acme/tiny', revision, files_metadata: true },
      })),
    );
    const commits = [main, main, other, other, other, other, other];
    expect(infos).toMatchObject(
      commits.map((sha) => ({ value: { id: 'acme/tiny', sha, gated: false, disabled: false } })),
    );
  });

  it('lists commits', async () => {
    const [commits] = await outcomesOf(client, [
      { call: 'list_repo_commits', args: { repo_id: 'acme/tiny', revision: 'feat/x' } },
    ]);
    expect(commits).toMatchObject({ value: [{ commit_id: other }, { commit_id: main }] });
  });

  it('downloads a file of a tag, a pull request and a branch with a slash', async () => {
    const paths = await outcomesOf(
      client,
      ['v1.0', 'refs/pr/1', 'feat/x'].map((revision) => download('acme/tiny', revision)),
    );
    expect(await Promise.all(paths.map(textAt))).toEqual(['{}\n', 'other', 'other']);
  });

  it('follows the redirect of an alias and of another case', async () => {
    const [info, file, cased] = await outcomesOf(client, [
      { call: 'repo_info', args: { repo_id: 'tiny' } },
      download('tiny', 'main'),
      download('Acme/TINY', 'main'),
    ]);
    expect(info).toMatchObject({ value: { id: 'acme/tiny' } });
    expect([await textAt(file), await textAt(cased)]).toEqual(['{}\n', '{}\n']);
    expect(hub.requests.filter(({ status }) => status === 307)).not.toEqual([]);
  });

  it('raises its own errors without a token', async () => {
    const outcomes = await outcomesOf(client, [
      download('acme/gated', 'main'),
      { call: 'list_repo_tree', args: { repo_id: 'acme/disabled' } },
      download('acme/tiny', 'none'),
      download('acme/tiny', 'main', 'none'),
      { call: 'repo_info', args: { repo_id: 'acme/tiny', revision: 'none' } },
      { call: 'list_repo_tree', args: { repo_id: 'acme/tiny', path_in_repo: 'none' } },
      { call: 'auth_check', args: { repo_id: 'acme/gated' } },
      { call: 'repo_info', args: { repo_id: 'acme/none' } },
    ]);
    expect(errorsOf(outcomes)).toEqual([
      'GatedRepoError',
      'DisabledRepoError',
      'RevisionNotFoundError',
      'RemoteEntryNotFoundError',
      'RevisionNotFoundError',
      'RemoteEntryNotFoundError',
      'GatedRepoError',
      // Typed only on https, where the client takes a bare 401 for a missing repository.
      'HfHubHTTPError',
    ]);
  });

  it('raises its own errors for a token without access', async () => {
    const outcomes = await outcomesOf(
      client,
      [
        { call: 'repo_info', args: { repo_id: 'acme/none' } },
        download('acme/none', 'main'),
        download('acme/gated', 'main'),
        download('acme/pending', 'main'),
        { call: 'whoami', args: {} },
      ],
      STRANGER,
    );
    expect(errorsOf(outcomes)).toEqual([
      'RepositoryNotFoundError',
      'RepositoryNotFoundError',
      'GatedRepoError',
      'GatedRepoError',
      undefined,
    ]);
    expect(outcomes[3]).toMatchObject({ message: expect.stringContaining('awaiting a review') });
  });

  it('reads a gated repository with a token that the CDN never sees', async () => {
    const [snapshot] = await outcomesOf(
      client,
      [{ call: 'snapshot_download', args: { repo_id: 'acme/gated' } }],
      READER,
    );
    expect(await contentsOf(snapshot)).toEqual({
      'README.md': 'open',
      'config.json': 'closed',
      w: 'closed',
    });
    const sent = (origin: 'hub' | 'cdn') =>
      new Set(
        hub.requests.filter((r) => r.origin === origin).map(({ authorization }) => authorization),
      );
    expect(sent('hub')).toEqual(new Set([`Bearer ${READER}`]));
    expect(sent('cdn')).toEqual(new Set([undefined]));
  });

  it('resumes a broken download', async () => {
    hub.inject({
      match: ({ origin, method }) => origin === 'cdn' && method === 'GET',
      fault: { kind: 'cut', afterBytes: 1000 },
    });
    const [file] = await outcomesOf(client, [download('acme/tiny', 'main', 'model.safetensors')]);
    expect(await textAt(file)).toBe(LFS_FILES['model.safetensors']);
    expect(hub.requests.filter(({ origin }) => origin === 'cdn')).toMatchObject([
      { status: 200, bodyBytesSent: 1000 },
      { status: 200, bodyBytesSent: 800_000 },
    ]);
  });
});

/** Calls a client with an empty cache. */
async function outcomesOf(
  client: PythonClient,
  calls: readonly PythonCall[],
  token?: string,
): Promise<PythonOutcome[]> {
  const home = await tempFolder();
  const { endpoint } = hub;
  return callPython(
    client,
    token === undefined ? { home, endpoint } : { home, endpoint, token },
    calls,
  );
}

function download(repo_id: string, revision: string, filename = 'config.json'): PythonCall {
  return { call: 'hf_hub_download', args: { repo_id, revision, filename } };
}

function errorsOf(outcomes: readonly PythonOutcome[]): (string | undefined)[] {
  return outcomes.map((outcome) => ('error' in outcome ? outcome.error : undefined));
}

/** The path that a download returned. */
function pathOf(outcome: PythonOutcome | undefined): string {
  if (outcome === undefined || !('value' in outcome)) throw new Error(JSON.stringify(outcome));
  return String(outcome.value);
}

async function textAt(outcome: PythonOutcome | undefined): Promise<string> {
  return await readFile(pathOf(outcome), 'utf8');
}

/** Every file of a snapshot by its path. */
async function contentsOf(outcome: PythonOutcome | undefined): Promise<Record<string, string>> {
  const folder = pathOf(outcome);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const pairs = paths.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]);
  return Object.fromEntries(await Promise.all(pairs));
}
