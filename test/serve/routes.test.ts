import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOfSri } from '../../src/digest.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import { createCatalog } from '../../src/serve/catalog.ts';
import { type Answer, route } from '../../src/serve/routes.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const REV = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);
const WEIGHTS = lockedFile('z', { lfs: true });
const ODD = 'a b/c#d?e%f+é';

const lock = lockOf(
  {
    tiny: lockedEntry({
      repo: 'org/tiny',
      requested: 'tiny',
      repoId: 'a'.repeat(24),
      license: ['mit'],
      files: new Map([
        ['config.json', lockedFile('c')],
        ['sub/deep/x.json', lockedFile('x')],
        [ODD, lockedFile('o')],
        ['w.bin', WEIGHTS],
      ]),
    }),
    part: lockedEntry({ repo: 'org/two', ref: 'v1.0', version: '^1', select: { include: ['*'] } }),
    more: lockedEntry({ repo: 'org/two', rev: OTHER, ref: 'refs/pr/1' }),
    nested: lockedEntry({ repo: 'org/nested', ref: 'feat/x' }),
    main: lockedEntry({ repo: 'org/main', ref: 'main' }),
    pinned: lockedEntry({ repo: 'org/main', rev: OTHER, ref: OTHER }),
  },
  { datasets: new Map([['rows', lockedEntry({ repo: 'org/rows', ref: 'refs/convert/parquet' })]]) },
);

const warnings: string[] = [];
const catalog = createCatalog(namedEntries(lock), (line) => warnings.push(line));
const ask = (target: string, method = 'GET', body = ''): Answer =>
  route(catalog, { method, target, origin: 'http://hub', body });

/** Status, code and value of an answer, as far as it has them. */
const shown = (answer: Answer) => {
  if (answer.kind === 'json') return answer.value;
  if (answer.kind === 'file') return [answer.file.path, answer.etag];
  return [answer.status, answer.headers['X-Error-Code']];
};

describe('a file', () => {
  const oid = (seed: string) => lockedFile(seed).oid;

  it.each([
    ['/org/tiny/resolve/main/config.json', ['config.json', oid('c')]],
    [`/org/tiny/resolve/${REV}/sub/deep/x.json`, ['sub/deep/x.json', oid('x')]],
    ['/tiny/resolve/main/w.bin', ['w.bin', hexOfSri(WEIGHTS.hash)]],
    ['/org/tiny/resolve/main/w.bin?download=true', ['w.bin', hexOfSri(WEIGHTS.hash)]],
    ['/org/tiny/resolve/main/a%20b/c%23d%3Fe%25f+%C3%A9', [ODD, oid('o')]],
    ['/org/nested/resolve/feat%2Fx/config.json', ['config.json', oid('a')]],
    ['/org/nested/resolve/feat/x/config.json', ['config.json', oid('a')]],
    ['/org/nested/resolve/main/config.json', ['config.json', oid('a')]],
    ['/org/two/resolve/refs%2Fpr%2F1/config.json', ['config.json', oid('a')]],
    ['/org/two/resolve/v1.0/config.json', ['config.json', oid('a')]],
    ['/datasets/org/rows/resolve/refs%2Fconvert%2Fparquet/config.json', ['config.json', oid('a')]],
    [`/sha256/${hexOfSri(WEIGHTS.hash)}`, ['w.bin', hexOfSri(WEIGHTS.hash)]],
  ])('is found at %s', (target, file) => {
    expect(shown(ask(target))).toEqual(file);
    expect(shown(ask(target, 'HEAD'))).toEqual(file);
  });

  it('is found by a path that is UTF-8 without percent-encoding', () => {
    const bytes = Buffer.from('/org/tiny/resolve/main/a%20b/c%23d%3Fe%25f+é').toString('latin1');
    expect(shown(ask(bytes))).toEqual([ODD, oid('o')]);
  });

  it('comes with its commit, and a missing one only where all files are locked', () => {
    expect(ask('/org/tiny/resolve/main/w.bin')).toMatchObject({
      headers: { 'X-Repo-Commit': REV },
    });
    const absent = (id: string, ref: string) => ask(`/${id}/resolve/${ref}/absent.json`);
    expect(absent('org/tiny', 'main')).toMatchObject({
      status: 404,
      headers: { 'X-Error-Code': 'EntryNotFound', 'X-Repo-Commit': REV },
    });
    expect(absent('org/two', 'v1.0').headers).not.toHaveProperty('X-Repo-Commit');
  });
});

describe('an error', () => {
  const sha = hexOfSri(WEIGHTS.hash);
  it.each([
    ['/org/none/resolve/main/config.json', 404, 'RepoNotFound'],
    ['/api/models/org/none', 404, 'RepoNotFound'],
    ['/api/datasets/org/tiny/revision/main', 404, 'RepoNotFound'],
    ['/org/rows/resolve/main/config.json', 404, 'RepoNotFound'],
    ['/org/two/resolve/main/config.json', 404, 'RevisionNotFound'],
    ['/api/models/org/two', 404, 'RevisionNotFound'],
    ['/api/models/org/tiny/revision/dev', 404, 'RevisionNotFound'],
    ['/api/models/org/tiny/revision/ccccccc', 404, 'RevisionNotFound'],
    ['/api/models/org/tiny/revision/main/config.json', 404, 'RevisionNotFound'],
    ['/api/models/org/tiny/tree/main/none', 404, 'EntryNotFound'],
    ['/api/models/org/tiny/tree/main/config.json', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/sub', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main//config.json', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/sub/../config.json', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/%2e%2e/%2e%2e/etc/passwd', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/..%2f..%2fetc%2fpasswd', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/config.json%00', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/%2Fetc%2Fpasswd', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/main/..\\config.json', 404, 'EntryNotFound'],
    ['/org/tiny/resolve/../config.json', 404, 'RevisionNotFound'],
    ['/etc/passwd', 404, undefined],
    ['/', 404, undefined],
    ['/org/tiny/raw/main/config.json', 404, undefined],
    ['/org/tiny.git/info/refs?service=git-upload-pack', 404, undefined],
    ['/api/whoami-v2', 404, undefined],
    ['/api/models/org/tiny/commits/main', 404, undefined],
    [`/sha256/${sha.toUpperCase()}`, 404, undefined],
    [`/sha256/${'0'.repeat(64)}`, 404, undefined],
    [`/sha256/${sha}/x`, 404, undefined],
    ['/sha256/../config.json', 404, undefined],
    ['/%', 400, undefined],
    ['/%ff', 400, undefined],
    ['/\u00ff', 400, undefined],
    ['http://other.example/org/tiny', 400, undefined],
    ['*', 400, undefined],
    ['', 400, undefined],
  ])('is the answer to %s', (target, status, code) => {
    expect(shown(ask(target))).toEqual([status, code]);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW'])(
    'is the answer to %s',
    (method) => {
      for (const target of ['/org/tiny/resolve/main/w.bin', '/api/models/org/tiny', '/']) {
        expect(ask(target, method)).toMatchObject({ status: 405, headers: { Allow: 'GET, HEAD' } });
      }
    },
  );

  it('is the answer to POST, but for the paths', () => {
    expect(ask('/org/tiny/resolve/main/w.bin', 'POST')).toMatchObject({ status: 405 });
    expect(ask('/api/models/org/tiny', 'POST')).toMatchObject({ status: 405 });
    expect(ask('/api/models/org/tiny/paths-info/main')).toMatchObject({
      status: 405,
      headers: { Allow: 'POST' },
    });
  });
});

describe('the API', () => {
  it('tells what is locked of a repository, under both of its ids', () => {
    const info = {
      _id: 'a'.repeat(24),
      id: 'org/tiny',
      modelId: 'org/tiny',
      author: 'org',
      sha: REV,
      private: false,
      gated: false,
      disabled: false,
      tags: ['license:mit'],
      cardData: { license: ['mit'] },
      siblings: ['config.json', 'sub/deep/x.json', ODD, 'w.bin'].map((rfilename) => ({
        rfilename,
      })),
    };
    for (const target of ['org/tiny', 'tiny', `org/tiny/revision/${REV}`, 'tiny/revision/main']) {
      expect(shown(ask(`/api/models/${target}`))).toEqual(info);
    }
    expect(shown(ask('/api/models/tiny?expand[]=sha&expand=gated'))).toEqual({
      _id: 'a'.repeat(24),
      id: 'org/tiny',
      sha: REV,
      gated: false,
    });
    expect(shown(ask('/api/models/tiny?blobs=true'))).toMatchObject({
      siblings: expect.arrayContaining([
        {
          rfilename: 'w.bin',
          size: 3,
          blobId: WEIGHTS.oid,
          lfs: { sha256: hexOfSri(WEIGHTS.hash), size: 3, pointerSize: 126 },
        },
      ]),
    });
  });

  it('lists branches, tags, pull requests and conversions apart', () => {
    const of = (ref: string, name: string, targetCommit: string) => ({ name, ref, targetCommit });
    expect(shown(ask('/api/models/org/two/refs?include_prs=1'))).toEqual({
      tags: [of('refs/tags/v1.0', 'v1.0', REV)],
      branches: [],
      converts: [],
      pullRequests: [of('refs/pr/1', '1', OTHER)],
    });
    expect(shown(ask('/api/datasets/org/rows/refs'))).toEqual({
      tags: [],
      branches: [of('refs/heads/main', 'main', REV)],
      converts: [of('refs/convert/parquet', 'parquet', REV)],
    });
    expect(shown(ask('/api/models/org/main/refs'))).toMatchObject({
      branches: [of('refs/heads/main', 'main', REV)],
    });
  });

  it('lists folders, folders first, and everything below them when asked', () => {
    const paths = (target: string) =>
      (shown(ask(`/api/models/org/tiny/tree/${target}`)) as { path: string }[]).map(
        ({ path }) => path,
      );
    expect(paths('main')).toEqual(['sub', 'a b', 'config.json', 'w.bin']);
    expect(paths('main/sub')).toEqual(['sub/deep']);
    expect(paths('main?recursive=True&expand=False')).toEqual([
      'sub',
      'sub/deep',
      'a b',
      'config.json',
      'sub/deep/x.json',
      ODD,
      'w.bin',
    ]);
  });

  it('divides a tree into pages', () => {
    const first = ask('/api/models/org/tiny/tree/main?recursive=true&limit=5');
    expect(first).toMatchObject({ kind: 'json', value: { length: 5 } });
    const [, next = ''] =
      /^<http:\/\/hub(.*)>; rel="next"$/u.exec(first.headers['Link'] ?? '') ?? [];
    const second = ask(next);
    expect(second).toMatchObject({ kind: 'json', value: { length: 2 }, headers: {} });
  });

  it('takes paths as a form and as JSON', () => {
    const target = '/api/models/org/tiny/paths-info/main';
    const body = JSON.stringify({ paths: ['w.bin', 'sub', 'none'], expand: true });
    const inForm = 'paths=w.bin&paths=sub&paths=none&expand=false';
    const entries = [
      { path: 'w.bin', type: 'file' },
      { path: 'sub', type: 'directory' },
    ];
    expect(shown(ask(target, 'POST', body))).toMatchObject(entries);
    expect(shown(ask(target, 'POST', inForm))).toMatchObject(entries);
    for (const wrong of ['{', '{}', '{"paths":1}']) {
      expect(ask(target, 'POST', wrong)).toMatchObject({ status: 400 });
    }
    const many = 'paths=x&'.repeat(2_001);
    expect(ask(target, 'POST', many)).toMatchObject({ status: 400 });
  });
});

describe('the catalog', () => {
  it('unites the files of entries of one commit', () => {
    const files = (...names: string[]) => new Map(names.map((name) => [name, lockedFile(name)]));
    const entries = namedEntries(
      lockOf({
        a: lockedEntry({ files: files('a'), select: { files: ['a'] } }),
        b: lockedEntry({ files: files('a', 'b'), select: { files: ['a', 'b'] } }),
      }),
    );
    const commit = createCatalog(entries, () => undefined)
      .repo('model', 'org/name')
      ?.commits.get(REV);
    expect([...(commit?.files.keys() ?? [])]).toEqual(['a', 'b']);
    expect(commit?.isWhole).toBe(false);
  });

  it('has one commit of a ref, and says when entries have several', () => {
    const entries = namedEntries(lockOf({ a: lockedEntry(), b: lockedEntry({ rev: OTHER }) }));
    const told: string[] = [];
    const repo = createCatalog(entries, (line) => told.push(line)).repo('model', 'org/name');
    expect(repo?.refs.get('main')?.rev).toBe(REV);
    expect([...(repo?.commits.keys() ?? [])]).toEqual([REV, OTHER]);
    expect(told).toEqual([
      'models.a and models.b have main of org/name at different commits; it is served as models.a has it, and both commits by their ids',
    ]);
    expect(warnings).toEqual([]);
  });

  it('keeps an id that another entry asks for under an old name', () => {
    const entries = namedEntries(
      lockOf({
        renamed: lockedEntry({ repo: 'org/new', requested: 'org/old', rev: OTHER }),
        taken: lockedEntry({ repo: 'org/old' }),
      }),
    );
    const made = createCatalog(entries, () => undefined);
    expect(made.repo('model', 'org/old')?.id).toBe('org/old');
    expect(made.repo('model', '__proto__')).toBeUndefined();
  });
});

it('answers every request, and with no file that is not locked', () => {
  const words =
    'api models datasets org tiny two resolve tree revision main refs paths-info sha256 .. . sub';
  const odd = ['', '%2e%2e', '%2f', '%00', '%', '__proto__', 'constructor', '\u00e9'];
  const named = [REV, 'config.json', 'w.bin', hexOfSri(WEIGHTS.hash)];
  const word = fc.constantFrom(...words.split(' '), ...odd, ...named);
  const target = fc
    .array(fc.oneof(word, fc.string()), { maxLength: 9 })
    .map((parts) => `/${parts.join('/')}`);
  const locked = new Set(catalog.contents.keys());
  fc.assert(
    fc.property(
      target,
      fc.constantFrom('GET', 'HEAD', 'POST'),
      fc.string(),
      (url, method, body) => {
        const answer = ask(url, method, body);
        if (answer.kind === 'file') expect(locked).toContain(answer.file.digest.hex);
        else if (answer.kind === 'refusal') expect([400, 404, 405]).toContain(answer.status);
        // Whatever stands in a header must be one that Node sends.
        for (const value of Object.values(answer.headers))
          expect(value).toMatch(/^[\t -~\u0080-\u00ff]*$/u);
      },
    ),
    { numRuns: 3_000 },
  );
});
