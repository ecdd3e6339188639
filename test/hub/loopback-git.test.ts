import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { blobId, pointerOf } from '../support/hub/lfs-store.ts';

// The loopback hub keeps its repositories in real git.

const FILES = {
  'config.json': '{}',
  'with "quotes" \\ and\ttabs': 'odd',
  'ünï/cöde.txt': 'größe',
  'two\nlines': '',
  empty: '',
  'model.bin': lfs('weights'),
};

let hub: Hub;
let repo: Repository;
let sha: string;

beforeAll(async () => {
  hub = await startHub();
  repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  sha = await repo.commit({ message: 'One', files: FILES });
});

afterAll(() => hub.close());

describe('a repository', () => {
  it('passes git fsck', async () => {
    await repo.tag('v1', sha, { annotated: true });
    await repo.tag('v2', sha);
    await repo.branch('feat/x', sha);
    await repo.pullRequest(1, sha);
    await repo.convert('parquet', sha);
    expect(await git('fsck', '--strict', '--full')).toBe('');
    expect(
      await git('for-each-ref', '--format=%(refname) %(objecttype) %(objectname) %(*objectname)'),
    ).toBe(
      [
        `refs/convert/parquet commit ${sha} `,
        `refs/heads/feat/x commit ${sha} `,
        `refs/heads/main commit ${sha} `,
        `refs/pr/1 commit ${sha} `,
        `refs/tags/v1 tag ${await git('rev-parse', 'refs/tags/v1')} ${sha}`,
        `refs/tags/v2 commit ${sha} `,
      ].join('\n'),
    );
  });

  it('stores plain files as blobs and LFS files as pointers', async () => {
    const { 'model.bin': weights, ...plain } = FILES;
    for (const [path, content] of Object.entries(plain)) {
      expect(await git('cat-file', 'blob', `${sha}:${path}`)).toBe(content);
    }
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${await weights.sha256()}\nsize 7`;
    expect(await git('cat-file', 'blob', `${sha}:model.bin`)).toBe(pointer);
  });

  it('reports the ids of git', async () => {
    const response = await fetch(`${hub.endpoint}/api/models/org/name/tree/${sha}?recursive=true`);
    const entries: { oid: string; path: string }[] = JSON.parse(await response.text());
    expect(entries).toHaveLength(7);
    for (const { oid, path } of entries) expect(await git('rev-parse', `${sha}:${path}`)).toBe(oid);
  });

  it('builds commits on the previous tree, or on a given parent', async () => {
    const second = await repo.commit({ files: { empty: null, 'new/file': 'x' } });
    const { empty: _, ...kept } = FILES;
    expect(await pathsOf(second)).toEqual([...Object.keys(kept), 'new/file'].toSorted());
    const aside = await repo.commit({ branch: 'aside', parent: sha, files: new Map([['b', '1']]) });
    expect(await pathsOf(aside)).toEqual([...Object.keys(FILES), 'b'].toSorted());
    const orphan = await repo.commit({ branch: 'orphan', files: [['only', '1']] });
    expect(await pathsOf(orphan)).toEqual(['only']);
    expect(await git('log', '--format=%H %P', '--all', '--date-order')).toBe(
      [`${orphan} `, `${aside} ${sha}`, `${second} ${sha}`, `${sha} `].join('\n'),
    );
    const forced = await repo.commit({ parent: orphan, files: {} });
    expect(await git('rev-parse', 'refs/heads/main')).toBe(forced);
  });

  it('has the same ids in every run', async () => {
    const other = await hub.createRepo({ type: 'dataset', id: 'org/other' });
    expect(await other.commit({ message: 'One', files: Object.entries(FILES) })).toBe(sha);
    expect(sha).toBe('a3255b228ddde717637852ac72bcd29670a1f780');
  });

  it('refuses invalid arguments', async () => {
    await expect(repo.tag('v3', '0'.repeat(40))).rejects.toThrow('has no commit');
    await expect(hub.createRepo({ type: 'model', id: 'Org/Name' })).rejects.toThrow('already has');
    await expect(repo.commit({ files: { 'a//b': '' } })).rejects.toThrow('git fast-import failed');
  });

  async function pathsOf(commit: string): Promise<string[]> {
    const names = await git('ls-tree', '-r', '-z', '--name-only', commit);
    return names
      .split('\0')
      .filter((name) => name !== '')
      .toSorted();
  }
});

describe('a pointer', () => {
  it('has the id recorded from the real Hub', () => {
    const pointer = pointerOf(
      'f9343d7d7ec5c3d8bcced056c438fc9f1d3819e9ca3d42418a40857050e10e20',
      22,
    );
    expect(pointer).toHaveLength(127);
    expect(blobId(pointer)).toBe('cd1c6d8bde5006076655711a49feae66f07d707e');
  });
});

describe('generated content', () => {
  it('depends only on its seed', async () => {
    const digest = (seed: string | number, size = 100) => lfs.generated({ size, seed }).sha256();
    expect(await digest('a')).toBe(await digest('a'));
    expect(await digest('a')).not.toBe(await digest('b'));
    expect(await digest(1)).not.toBe(await digest(1, 99));
  });
});

describe('closing a hub', () => {
  it('leaves no connection and no folder behind', async () => {
    const other = await startHub({ latencyMs: 60_000 });
    const { gitDir } = await other.createRepo({ type: 'model', id: 'org/name' });
    const pending = fetch(other.endpoint);
    await expect.poll(() => other.requests.length).toBe(1);
    await Promise.all([other.close(), expect(pending).rejects.toThrow('fetch failed')]);
    expect(existsSync(gitDir)).toBe(false);
    await expect(fetch(other.endpoint)).rejects.toThrow('fetch failed');
  });
});

async function git(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--git-dir', repo.gitDir, ...args]);
  return stdout.replace(/\n$/u, '');
}
