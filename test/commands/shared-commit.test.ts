import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type FileContent,
  type Hub,
  lfs,
  type Repository,
  startHub,
} from '../support/hub/index.ts';
import { conflictedByGit } from '../support/git-conflict.ts';
import { inject } from '../support/inject.ts';
import { createProject } from '../support/project.ts';

const TOKEN = 'test-token-of-the-owner';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
});
afterAll(() => hub.close());

const FILES: Readonly<Record<string, FileContent>> = {
  'README.md': '# Model\n',
  'q4.gguf': lfs('four bits'),
  'q8.gguf': lfs('eight bits'),
};

const LOCKED = (id: string) => `  gguf:\n    repo: ${id}\n    files: [q4.gguf]\n`;

/** A project with one locked file of a repository, whose branch moved afterwards. */
async function moved({ files = FILES, manifest = LOCKED } = {}) {
  made += 1;
  const id = `org/gguf-${made}`;
  const repo: Repository = await hub.createRepo({ type: 'model', id });
  const locked = await repo.commit({ files });
  await repo.tag('v1.0.0', locked);
  const project = await createProject(hub.endpoint, `models:\n${manifest(id)}`);
  const first = await project.run(['lock']);
  if (first.status !== 0) throw new Error(first.stderr);
  const newest = await repo.commit({ files: { 'README.md': '# Better\n', 'q8.gguf': lfs('8') } });
  await repo.tag('v1.1.0', newest);
  hub.clearRequests();
  const lock = async () => JSON.parse((await project.lockText()) ?? '').models;
  return {
    ...project,
    repo,
    id,
    locked,
    newest,
    lock,
    /** Adds an entry to the manifest, and runs `lock`. */
    lockWith: async (entry: string) => {
      await project.manifest(`models:\n${manifest(id)}  ${entry}\n`);
      return project.run(['lock']);
    },
    /** The commit of each entry. */
    revs: async () =>
      Object.fromEntries(
        Object.entries<any>(await lock()).map(([name, { rev }]) => [
          name,
          rev === locked ? 'locked' : rev === newest ? 'newest' : rev,
        ]),
      ),
  };
}

/** Requested paths, without host and query, sorted. */
const asked = () =>
  hub.requests.map(({ url }) => (url.split('?')[0] ?? '').replace(/^\/api\//u, '')).toSorted();

const addQ8 = (id: string) => ['add', `hf:${id}`, '--file', 'q8.gguf', '--name', 'q8'];

const CLASH = 'at different commits';

describe('a new entry of a repository that is locked', () => {
  it('is added at the locked commit, with one request for its tree', async () => {
    const { run, id, locked, lock, revs } = await moved();
    const { status, stdout, stderr } = await run(addQ8(id));
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^models\.q8: 1 of 1 files\nnext: .*\n$/u),
    ]);
    expect(stdout).toContain(
      `\`models.q8\` added: \`${id}\` at \`main\` (${locked.slice(0, 12)}), 1 file, 10 B`,
    );
    expect(asked()).toEqual([`models/${id}/tree/${locked}`]);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'locked' });
    const { files, ...q8 } = (await lock()).q8;
    expect(q8).toEqual({
      repo: id,
      repoId: expect.any(String),
      ref: 'main',
      rev: locked,
      select: { files: ['q8.gguf'] },
    });
    expect(files['q8.gguf'].size).toBe('eight bits'.length);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('is locked there together with other new entries and a changed one', async () => {
    const manifest = (id: string) => `${LOCKED(id)}  other:\n    repo: ${id}\n`;
    const { run, manifest: write, id, locked, revs } = await moved({ manifest });
    await write(`models:
${LOCKED(id)}
  other: { repo: ${id}, include: ["q8*"] }
  q8: { repo: ${id}, files: [q8.gguf] }
  all: ${id}
`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(await revs()).toEqual({ all: 'locked', gguf: 'locked', other: 'locked', q8: 'locked' });
    expect(asked()).toEqual([`models/${id}/tree/${locked}`]);
  });

  it('takes the locked tag of the same range', async () => {
    const manifest = (id: string) => `  gguf: { repo: ${id}, version: ^1 }\n`;
    const { lockWith, id, locked, lock, revs } = await moved({ manifest });
    expect((await lockWith(`q8: { repo: ${id}, version: ^1, files: [q8.gguf] }`)).status).toBe(0);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'locked' });
    expect((await lock()).q8).toMatchObject({ version: '^1', ref: 'v1.0.0' });
    expect(asked()).toEqual([`models/${id}/tree/${locked}`]);
  });

  it('is resolved on its own for another ref, or for a commit', async () => {
    const { lockWith, id, newest, revs } = await moved();
    const others = `tag: { repo: ${id}, ref: v1.1.0 }
  range: { repo: ${id}, version: ^1 }
  commit: { repo: ${id}, ref: ${newest} }
  same: ${id}`;
    expect((await lockWith(others)).stderr).not.toContain('warning');
    expect(await revs()).toEqual({
      commit: 'newest',
      gguf: 'locked',
      range: 'newest',
      same: 'locked',
      tag: 'newest',
    });
  });

  it('is locked with the locked id, and with its own as requested', async () => {
    const { lockWith, repo, id, locked, lock } = await moved();
    hub.renameRepo(repo, `${id}-new`);
    const upper = id.toUpperCase();
    expect((await lockWith(`q8: { repo: ${upper}, files: [q8.gguf] }`)).status).toBe(0);
    expect((await lock()).q8).toMatchObject({ repo: id, requested: upper, rev: locked });
  });

  it('needs the token that the repository needs', async () => {
    const { run, repo, id, lockText, revs } = await moved();
    repo.private = true;
    const before = await lockText();
    const refused = await run(addQ8(id));
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('EHUG_REPO_NOT_FOUND: models.q8'),
    ]);
    expect(await lockText()).toBe(before);
    expect((await run(addQ8(id), { env: { HF_TOKEN: TOKEN } })).status).toBe(0);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'locked' });
  });

  it('takes the commit of a repaired conflict', async () => {
    const { run, id, locked, newest, lockText, lockWith, writeLock, revs } = await moved();
    const ours = (await lockText()) ?? '';
    await run(['update']);
    const theirs = (await lockText()) ?? '';
    const base = ours.replaceAll(locked, '0'.repeat(40));
    await writeLock(await conflictedByGit('merge', [base, ours, theirs]));
    const { status, stderr } = await lockWith(`q8: { repo: ${id}, files: [q8.gguf] }`);
    expect([status, stderr]).toEqual([0, expect.stringContaining(`kept ours, ${locked}`)]);
    expect(stderr).not.toContain(CLASH);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'locked' });
    expect(ours).not.toContain(newest);
  });

  it('warns at which commit a glob matches nothing', async () => {
    const { lockWith, id } = await moved();
    const { stderr } = await lockWith(`new: { repo: ${id}, include: ["q2*", "q8*"] }`);
    expect(stderr).toContain(
      'warning: models.new: at the commit of models.gguf: include "q2*" matches no LFS file',
    );
  });
});

describe('a commit that cannot be shared gives a warning, and the newest is locked', () => {
  it('when a file is missing there', async () => {
    const { run, id, revs } = await moved({ files: { 'q4.gguf': lfs('four bits') } });
    const { status, stderr } = await run(addQ8(id));
    expect([status, stderr.split('\n').filter((line) => line.startsWith('warning'))]).toEqual([
      0,
      [
        'warning: models.q8: cannot share the commit of models.gguf: no such file at this commit: "q8.gguf"',
        `warning: models.gguf and models.q8 have main of ${id} ${CLASH}, and one cache cannot hold both; update both`,
      ],
    ]);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'newest' });
    expect((await run(['update', 'gguf'])).stderr).not.toContain('warning');
    expect(await revs()).toEqual({ gguf: 'newest', q8: 'newest' });
  });

  it('when include matches none of its LFS files', async () => {
    const { lockWith, id, revs } = await moved({ files: { x: 'x', 'q4.gguf': lfs('four bits') } });
    const { status, stderr } = await lockWith(`q8: { repo: ${id}, include: ["*q8*"] }`);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'warning: models.q8: cannot share the commit of models.gguf: include keeps no LFS file there\n',
      ),
    ]);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'newest' });
  });

  it('unless include matches none of the newest one either', async () => {
    const { lockWith, id, revs } = await moved();
    const { stderr } = await lockWith(`new: { repo: ${id}, include: ["q2*"] }`);
    expect(stderr.split('\n').filter((line) => line.startsWith('warning'))).toEqual([
      'warning: models.new: at the commit of models.gguf: include "q2*" matches no LFS file; plain files are always kept',
    ]);
    expect(await revs()).toEqual({ gguf: 'locked', new: 'locked' });
  });

  it('unless the newest is the same', async () => {
    const { lockWith, repo, id, locked, revs } = await moved();
    await repo.branch('main', locked);
    const { stderr } = await lockWith(`new: { repo: ${id}, include: ["q2*"] }`);
    expect(stderr.split('\n').filter((line) => line.startsWith('warning'))).toEqual([
      'warning: models.new: include "q2*" matches no LFS file; plain files are always kept',
    ]);
    expect(asked().filter((path) => path.startsWith('models/'))).toEqual([
      `models/${id}/revision/main`,
      `models/${id}/tree/${locked}`,
    ]);
    expect(await revs()).toEqual({ gguf: 'locked', new: 'locked' });
  });

  it('when the Hub has lost it', async () => {
    const { lockWith, repo, id, locked, lock } = await moved();
    const anew = await repo.commit({ parent: null, files: FILES });
    await repo.tag('v1.0.0', anew);
    await repo.tag('v1.1.0', anew);
    await repo.prune();
    const { status, stderr } = await lockWith(`q8: { repo: ${id}, files: [q8.gguf] }`);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        `warning: models.q8: cannot share the commit of models.gguf: model ${id} has no revision "${locked}"\n`,
      ),
    ]);
    expect(stderr).toContain(`${CLASH}, and one cache cannot hold both; update both`);
    expect((await lock()).q8.rev).toBe(anew);
  });

  it('when a mirror answers 404 without a reason', async () => {
    const { lockWith, id, locked, revs } = await moved();
    inject(hub, { match: `/tree/${locked}`, fault: { kind: 'status', status: 404 } });
    const { status, stderr } = await lockWith(`q8: { repo: ${id}, files: [q8.gguf] }`);
    expect([status, stderr]).toEqual([0, expect.stringContaining('cannot share the commit')]);
    expect(await revs()).toEqual({ gguf: 'locked', q8: 'newest' });
  });

  it('and nothing is locked when the newest fails, too', async () => {
    const { run, id, lockText } = await moved();
    const before = await lockText();
    const { status, stderr } = await run(['add', `hf:${id}`, '--file', 'q2.gguf', '--name', 'q2']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('EHUG_SELECTION: models.q2: no such file at this commit: "q2.gguf"'),
    ]);
    expect(asked().filter((path) => path.includes('/tree/')).length).toBe(2);
    expect(await lockText()).toBe(before);
  });

  it('but other errors stay errors', async () => {
    const { lockWith, id, locked, lockText } = await moved();
    const before = await lockText();
    inject(hub, { match: `/tree/${locked}`, fault: { kind: 'status', status: 403 } });
    const { status, stderr } = await lockWith(`q8: { repo: ${id}, files: [q8.gguf] }`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_FORBIDDEN: models.q8')]);
    expect(await lockText()).toBe(before);
  });
});

describe('update moves entries that share a commit', () => {
  it('by name, and all of them', async () => {
    const { run, lockWith, id, lockText, revs } = await moved();
    const entry = `q8: { repo: ${id}, files: [q8.gguf] }`;
    await lockWith(entry);
    expect((await run(['outdated', '--json'])).json().entries).toMatchObject([
      { name: 'gguf', outdated: true },
      { name: 'q8', outdated: true },
    ]);
    const { stderr } = await run(['update', 'q8']);
    expect(stderr).toContain(
      'moved too, since they have the same ref of a repository: models.gguf',
    );
    expect(stderr).not.toContain(CLASH);
    expect(await revs()).toEqual({ gguf: 'newest', q8: 'newest' });
    expect((await run(['update'])).stdout).toContain('is up to date');
    const after = await lockText();
    await lockWith(entry);
    expect(await lockText()).toBe(after);
  });
});
