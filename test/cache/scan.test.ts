import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CacheScan, scanCache } from '../../src/cache/scan.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients, type PythonClient } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

/** Figures that the official client and we must agree on. */
interface Figures {
  readonly size: number;
  /** Not known to old clients. */
  readonly incomplete?: number;
  readonly repos: readonly { readonly folder: string }[];
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** Seconds with the digits that a double of Python and one of JavaScript share. */
const seconds = (value: number): number => Math.round(value * 1000) / 1000;

function ourFigures({ repos, size, problems }: CacheScan): Figures {
  return {
    size,
    incomplete: problems.filter(({ kind }) => kind === 'incomplete').length,
    repos: repos
      .map(({ type, id, folder, revisions }) => ({
        type,
        id,
        folder,
        revisions: revisions.map((revision) => ({
          rev: revision.rev,
          refs: revision.refs,
          size: revision.size,
          modified: seconds(revision.modified / 1000),
          files: revision.files
            .map((file) => [`${revision.folder}/${file.path}`, file.size])
            .toSorted(byText),
        })),
      }))
      .toSorted(byText),
  };
}

/** What `scan_cache_dir` says of a cache, which it must accept as a whole. */
async function theirFigures(client: PythonClient, cache: string): Promise<Figures> {
  const [value] = await scanByClient(client, [cache]);
  expect(value).toMatchObject({ warnings: [] });
  return figuresOf(value);
}

/** What `scan_cache_dir` returns for each of the caches. */
async function scanByClient(client: PythonClient, caches: readonly string[]): Promise<any[]> {
  const home = path.dirname(caches[0] ?? '');
  const calls = caches.map((cache) => ({ call: 'scan_cache_dir', args: { cache_dir: cache } }));
  const outcomes = await callPython(client, { home, endpoint: '' }, calls);
  return outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome));
}

function figuresOf(value: any): Figures {
  return {
    size: value.size_on_disk,
    ...('incomplete_files' in value ? { incomplete: value.incomplete_files.length } : {}),
    repos: value.repos
      .map((repo: any) => ({
        type: repo.repo_type,
        id: repo.repo_id,
        folder: repo.repo_path,
        revisions: repo.revisions
          .map((revision: any) => ({
            rev: revision.commit_hash,
            refs: revision.refs.toSorted(),
            size: revision.size_on_disk,
            modified: seconds(revision.last_modified),
            files: revision.files
              .map((file: any) => [file.file_path, file.size_on_disk])
              .toSorted(byText),
          }))
          .toSorted(byText),
      }))
      .toSorted(byText),
  };
}

async function withHub<T>(use: (hub: Hub) => Promise<T>): Promise<T> {
  const hub = await startHub();
  try {
    return await use(hub);
  } finally {
    await hub.close();
  }
}

const REV = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);
const REPO = 'models--org--name';
const SNAPSHOT = `${REPO}/snapshots/${REV}`;
const BLOB = 'a'.repeat(40);

/** What the content of a cache is: text of files, or where links lead; folders end in `/`. */
type Layout = Readonly<Record<string, string | { readonly to: string }>>;

const link = (to: string) => ({ to });

/** A repository without a problem. */
const SOUND: Layout = {
  [`${REPO}/blobs/${BLOB}`]: '{}',
  [`${SNAPSHOT}/config.json`]: link(`../../blobs/${BLOB}`),
  [`${REPO}/refs/main`]: REV,
};

async function fill(folder: string, layout: Layout): Promise<string> {
  for (const [name, content] of Object.entries(layout)) await put(folder, name, content);
  return folder;
}

async function put(folder: string, name: string, content: string | { readonly to: string }) {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  if (name.endsWith('/')) await mkdir(file, { recursive: true });
  else if (typeof content === 'string') await writeFile(file, content);
  else await symlink(content.to, file);
}

/** An entry of a cache: the name of a file or folder, and its content, see `Layout`. */
const anyEntry = fc
  .record({
    repo: fc.constantFrom(REPO, 'datasets--org--data'),
    rev: fc.constantFrom(REV, OTHER),
    file: fc.constantFrom('a.json', 'b.bin', 'sub/a.json', 'sub/sub'),
    blob: fc.constantFrom(BLOB, 'b'.repeat(64), 'c'.repeat(64)),
    ref: fc.constantFrom('main', 'refs/pr/1', 'v1.0'),
    text: fc.string({ maxLength: 9 }),
  })
  .chain(({ repo, rev, file, blob, ref, text }) => {
    const toBlob = link(`${'../'.repeat(file.split('/').length + 1)}blobs/${blob}`);
    const entry = (name: string, content: string | { readonly to: string }) =>
      fc.constant([`${repo}/${name}`, content] as const);
    return fc.oneof(
      { weight: 9, arbitrary: entry(`blobs/${blob}`, text) },
      { weight: 9, arbitrary: entry(`snapshots/${rev}/${file}`, toBlob) },
      { weight: 3, arbitrary: entry(`refs/${ref}`, rev) },
      entry(`refs/${ref}`, text),
      entry(`snapshots/${rev}/${file}`, text),
      entry(`snapshots/${rev}/${file}/`, ''),
      entry(`snapshots/${rev}`, link(OTHER)),
      entry(`blobs/${blob}`, link(`../../models--shared/blobs/${blob}`)),
      entry(`blobs/${blob}.01234567.incomplete`, text),
      entry(text.replaceAll(/[^a-z]/giu, '_'), text),
    );
  });

const makePipe = async (file: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true });
  await promisify(execFile)('mkfifo', [file]);
};

describeClients((client) => {
  it.each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'fills a cache in which we see what it sees (%j)',
    (env) =>
      withHub(async (hub) => {
        const model = await hub.createRepo({ type: 'model', id: 'org/tiny' });
        const files = {
          'model.safetensors': lfs('weights'),
          'config.json': '{}',
          'same.json': '{}',
          'empty.txt': '',
          'a b/ü & c.txt': 'odd',
          'a/b/c/deep.bin': lfs('deep'),
        };
        const first = await model.commit({ files });
        await model.tag('v1.0', first);
        const canonical = await hub.createRepo({ type: 'model', id: 'gpt2' });
        await canonical.commit({ files: { 'x.bin': lfs('weights') } });
        const dataset = await hub.createRepo({ type: 'dataset', id: 'org/tiny' });
        await dataset.commit({ files: { 'data/train.csv': 'a,b\n' } });

        const home = await tempFolder('hub cache ä');
        const settings = { home, endpoint: hub.endpoint, env };
        const download = (args: Readonly<Record<string, unknown>>) =>
          callPython(client, settings, [{ call: 'snapshot_download', args }]);
        await download({ repo_id: 'org/tiny' });
        await download({ repo_id: 'org/tiny', revision: 'v1.0' });
        const second = await model.commit({ files: { 'config.json': '{"v":2}' } });
        await download({ repo_id: 'org/tiny' });
        await download({ repo_id: 'gpt2' });
        await download({ repo_id: 'org/tiny', repo_type: 'dataset' });

        const cache = path.join(home, 'hub');
        const scan = await scanCache(cache);
        expect(scan.problems).toEqual([]);
        expect(ourFigures(scan)).toMatchObject(await theirFigures(client, cache));
        expect(
          scan.repos
            .flatMap(({ type, id, revisions }) =>
              revisions.map(({ rev, refs, files: { length } }) => [type, id, rev, refs, length]),
            )
            .toSorted(byText),
        ).toEqual(
          [
            ['dataset', 'org/tiny', expect.any(String), ['main'], 1],
            ['model', 'gpt2', expect.any(String), ['main'], 1],
            ['model', 'org/tiny', first, ['v1.0'], 6],
            ['model', 'org/tiny', second, ['main'], 6],
          ].toSorted(byText),
        );
        const weights = scan.repos
          .flatMap(({ revisions }) => revisions.flatMap((revision) => revision.files))
          .find((file) => file.path === 'model.safetensors');
        expect(weights?.etag).toBe(
          'HF_HUB_DISABLE_SYMLINKS' in env ? undefined : await lfs('weights').sha256(),
        );
      }),
  );

  it('accepts what we accept, and counts the same', async () => {
    const elsewhere = await tempFolder('elsewhere');
    await fill(elsewhere, {
      '1': 'abc',
      // The newest client would count a relative link from the snapshot, and miss the file.
      'model/config.json': link(`${elsewhere}/1`),
      'model/sub/ü x': 'x',
      'repo/blobs/b': 'abcd',
      [`repo/snapshots/${REV}/file`]: link('../../blobs/b'),
      'repo/refs/main': REV,
    });
    const cache = await fill(path.join(await tempFolder('hub'), 'hub'), {
      ...SOUND,
      [`${REPO}/refs/refs/pr/1`]: REV,
      [`${REPO}/refs/v1.0`]: REV,
      [`${REPO}/snapshots/${OTHER}/`]: '',
      [`${REPO}/snapshots/main/x`]: link(`../../blobs/${BLOB}`),
      [`${REPO}/refs/odd`]: 'main',
      [`${REPO}/blobs/${BLOB}.incomplete`]: 'part',
      [`${REPO}/notes`]: '',
      [`models--abs/snapshots/${REV}`]: link(`${elsewhere}/model`),
      [`models--chain/snapshots/${REV}`]: link(`../../models--abs/snapshots/${REV}`),
      'datasets--linked': link(`${elsewhere}/repo`),
      [`models--outside/snapshots/${REV}/x`]: link(`${elsewhere}/1`),
      [`models--outside/snapshots/${REV}/folder`]: link(`${elsewhere}/model`),
      [`models--org--a--b/snapshots/${REV}/same`]: '{}',
      [`spaces--gpt2/snapshots/${REV}/.gitattributes`]: '',
      [`datasets--d/snapshots/${REV}/a/b/c`]: 'plain',
      'models--empty/snapshots/': '',
    });
    const scan = await scanCache(cache);
    const { size, ...theirs } = await theirFigures(client, cache);
    expect(ourFigures(scan)).toMatchObject(theirs);
    expect(scan.repos).toHaveLength(9);
    // It counts a file again for each path that leads there by linked folders.
    expect(scan.size).toBe(['{}', '{}', 'abc', 'x', 'abcd', 'plain'].join('').length);
    expect(size).toBeGreaterThan(scan.size);
    expect(scan.problems.map(({ kind, path: at }) => `${kind} ${at}`)).toEqual([
      `unclear-id models--org--a--b`,
      `incomplete ${REPO}/blobs/${BLOB}.incomplete`,
      `not-a-commit ${REPO}/snapshots/main`,
      `linked-folder models--outside/snapshots/${REV}/folder`,
      `outside models--outside/snapshots/${REV}/x`,
    ]);
  });

  it('reads every repository as we do in which we see no problem, whatever the cache', async () => {
    let compared = 0;
    const anyCache = fc.array(anyEntry, { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCache, { minLength: 30, maxLength: 30 }), async (entries) => {
        const caches: string[] = [];
        for (const cache of entries) {
          const folder = await fill(await tempFolder('hub'), SOUND);
          // Some entries exclude each other: a file where another one needs a folder.
          for (const entry of cache) await put(folder, ...entry).catch(() => undefined);
          caches.push(folder);
        }
        const theirs = await scanByClient(client, caches);
        for (const [index, cache] of caches.entries()) {
          const scan = await scanCache(cache);
          const isSound = ({ folder }: { readonly folder: string }) =>
            !scan.problems.some(({ path: at }) => `${cache}/${at}/`.startsWith(`${folder}/`));
          const ours = ourFigures(scan).repos.filter(isSound);
          const value = theirs[index];
          // A snapshot that is a broken link makes the client give up.
          if ('error' in value) expect(scan.problems).not.toEqual([]);
          else expect(figuresOf(value).repos.filter(isSound)).toEqual(ours);
          compared += ours.length;
        }
      }),
      { numRuns: 2, endOnFailure: true },
    );
    expect(compared).toBeGreaterThan(10);
  });
});

/** What a scan says, shortly: `type id rev refs: paths with sizes`, and problems as `kind path`. */
async function shortScan(cache: string) {
  const { repos, problems } = await scanCache(cache);
  return {
    revisions: repos.flatMap(({ type, id, revisions }) =>
      revisions.map(({ rev, refs, files, isWhole }) => {
        const names = files.map((file) => `${file.path} ${file.size}`);
        const name = `${type} ${id} ${rev.slice(0, 4)}`;
        return `${name} [${refs.join(' ')}]: ${names.join(', ')}${isWhole ? '' : ' …'}`;
      }),
    ),
    problems: problems.map(({ kind, path: at, detail }) =>
      [kind, at.replaceAll(REV, 'REV'), ...(detail === undefined ? [] : [detail])].join(' '),
    ),
  };
}

const SOUND_REVISION = 'model org/name cccc [main]: config.json 2';

/** Layouts that are added to `SOUND`, with revisions and problems that a scan then finds. */
const ODD: readonly (readonly [string, Layout, readonly string[], readonly string[]])[] = [
  [
    "the client's own files, and those of operating systems",
    {
      '.locks/': '',
      'CACHEDIR.TAG': '',
      '.DS_Store': '',
      'blobs/.huggingface-shared-blobs': '1\n',
      [`${REPO}/snapshots/.DS_Store`]: '',
      [`${REPO}/refs/Thumbs.db`]: '',
      [`${REPO}/.no_exist/${REV}/x.json`]: '',
      [`${REPO}/trees/${REV}.json`]: '{}',
    },
    [SOUND_REVISION],
    [],
  ],
  [
    'foreign files and folders',
    {
      'blobs/aa': '',
      'models--file': '',
      notes: link('nowhere'),
      'stuff/models--org--x/snapshots/': '',
      'buckets--org--x/snapshots/': '',
      'version.txt': '1',
    },
    [SOUND_REVISION],
    [
      'foreign blobs',
      'foreign buckets--org--x',
      'foreign models--file',
      'foreign notes',
      'foreign stuff',
      'foreign version.txt',
    ],
  ],
  [
    'repositories of every type, and ids of one part',
    {
      [`datasets--squad/snapshots/${REV}/`]: '',
      [`kernels--org--k/snapshots/${REV}/`]: '',
      [`spaces--org--s/snapshots/${REV}/`]: '',
      'models--none/snapshots/': '',
    },
    ['dataset squad cccc []: ', 'kernel org/k cccc []: ', SOUND_REVISION, 'space org/s cccc []: '],
    [],
  ],
  [
    'folders whose names are those of no repository',
    {
      [`models--/snapshots/${REV}/`]: '',
      [`models--..--../snapshots/${REV}/`]: '',
      [`models--__proto__/snapshots/${REV}/`]: '',
      [`models--a--b--c/snapshots/${REV}/`]: '',
      [`models--a b/snapshots/${REV}/`]: '',
      [`models--a\u001b[31m/snapshots/${REV}/`]: '',
    },
    [
      'model  cccc []: ',
      'model ../.. cccc []: ',
      'model __proto__ cccc []: ',
      'model a\u001b[31m cccc []: ',
      'model a b cccc []: ',
      'model a/b/c cccc []: ',
      SOUND_REVISION,
    ],
    [
      'unclear-id models-- ',
      'unclear-id models--..--.. ../..',
      'unclear-id models--a\u001b[31m a\u001b[31m',
      'unclear-id models--a b a b',
      'unclear-id models--a--b--c a/b/c',
    ],
  ],
  [
    'a repository without snapshots, or with a file in their place',
    { 'models--a/blobs/': '', 'models--b/snapshots': '' },
    [SOUND_REVISION],
    ['no-snapshots models--a', 'stray-file models--b/snapshots', 'no-snapshots models--b'],
  ],
  [
    'snapshots that are files, links to nothing, circles, or not named after a commit',
    {
      [`${REPO}/snapshots/file`]: '',
      [`${REPO}/snapshots/to-file`]: link('file'),
      [`${REPO}/snapshots/${OTHER}`]: link('nowhere'),
      [`${REPO}/snapshots/loop`]: link('loop'),
      [`${REPO}/snapshots/main/x`]: 'abc',
      [`${REPO}/refs/dev`]: 'main',
    },
    [SOUND_REVISION, 'model org/name main [dev]: x 3'],
    [
      `broken-link ${REPO}/snapshots/${OTHER}`,
      `stray-file ${REPO}/snapshots/file`,
      `link-loop ${REPO}/snapshots/loop`,
      `not-a-commit ${REPO}/snapshots/main`,
      `stray-file ${REPO}/snapshots/to-file`,
    ],
  ],
  [
    'links to nothing, to folders, in circles and out of the blobs',
    {
      [`${SNAPSHOT}/broken`]: link(`../../blobs/${OTHER}`),
      [`${SNAPSHOT}/circle`]: link('circle'),
      [`${SNAPSHOT}/folder`]: link('sub'),
      [`${SNAPSHOT}/sub/ok`]: link(`../../../blobs/${BLOB}`),
      [`${SNAPSHOT}/sub/shallow`]: link(`../../blobs/${BLOB}`),
      [`${SNAPSHOT}/blobs`]: link('../../blobs/'),
      [`${SNAPSHOT}/ref`]: link('../../blobs/../refs/main'),
      [`${SNAPSHOT}/through`]: link(`config.json/x`),
    },
    ['model org/name cccc [main]: config.json 2, ref 40, sub/ok 2 …'],
    [
      `linked-folder ${REPO}/snapshots/REV/blobs ../../blobs/`,
      `broken-link ${REPO}/snapshots/REV/broken`,
      `link-loop ${REPO}/snapshots/REV/circle`,
      `linked-folder ${REPO}/snapshots/REV/folder sub`,
      `broken-link ${REPO}/snapshots/REV/sub/shallow`,
      `broken-link ${REPO}/snapshots/REV/through`,
    ],
  ],
  [
    'names that no repository has',
    {
      [`${SNAPSHOT}/a\nb`]: '',
      [`${SNAPSHOT}/c:\\d`]: '',
      [`${SNAPSHOT}/e\u009b/f`]: 'x',
      [`${SNAPSHOT}/g\u001b/h`]: '',
      [`${REPO}/refs/x\ty`]: REV,
    },
    ['model org/name cccc [main]: config.json 2, e\u009b/f 1 …'],
    [
      `unsafe-name ${REPO}/refs/x\ty has a control character or a backslash`,
      `unsafe-name ${REPO}/snapshots/REV/a\nb has a control character or a backslash`,
      `unsafe-name ${REPO}/snapshots/REV/c:\\d has a control character or a backslash`,
      `unsafe-name ${REPO}/snapshots/REV/g\u001b has a control character or a backslash`,
    ],
  ],
  [
    'refs that the official client cannot follow',
    {
      [`${REPO}/refs/newline`]: `${REV}\n`,
      [`${REPO}/refs/upper`]: REV.toUpperCase(),
      [`${REPO}/refs/empty`]: '',
      [`${REPO}/refs/gone`]: OTHER,
      [`${REPO}/refs/huge`]: REV.repeat(1000),
      [`${REPO}/refs/text`]: 'ref: refs/heads/main',
      [`${REPO}/refs/refs/pr/1`]: REV,
      [`${REPO}/refs/link`]: link('main'),
      [`${REPO}/refs/nothing`]: link('nowhere'),
      [`${REPO}/refs/circle`]: link('circle'),
      [`${REPO}/refs/to-folder`]: link('refs'),
      [`${REPO}/refs/zero`]: link('/dev/zero'),
      [`${REPO}/refs/main.0123abcd.tmp`]: REV,
    },
    ['model org/name cccc [link main refs/pr/1]: config.json 2'],
    [
      `link-loop ${REPO}/refs/circle`,
      `bad-ref ${REPO}/refs/empty holds no commit`,
      `dangling-ref ${REPO}/refs/gone ${OTHER}`,
      `bad-ref ${REPO}/refs/huge is too long`,
      `incomplete ${REPO}/refs/main.0123abcd.tmp`,
      `bad-ref ${REPO}/refs/newline has more than the commit in lower case`,
      `broken-link ${REPO}/refs/nothing`,
      `bad-ref ${REPO}/refs/text holds no commit`,
      `unreadable ${REPO}/refs/to-folder EISDIR`,
      `bad-ref ${REPO}/refs/upper has more than the commit in lower case`,
      `bad-ref ${REPO}/refs/zero is too long`,
    ],
  ],
  [
    'refs that are a file, and blobs that are none',
    { [`models--x/refs`]: '', [`models--x/blobs`]: link('nowhere'), [`models--x/snapshots/`]: '' },
    [SOUND_REVISION],
    ['broken-link models--x/blobs', 'stray-file models--x/refs'],
  ],
  [
    'what interrupted downloads left',
    {
      [`${REPO}/blobs/${BLOB}.0123abcd.incomplete`]: 'x',
      [`${REPO}/blobs/${OTHER}.incomplete`]: '',
    },
    [SOUND_REVISION],
    [
      `incomplete ${REPO}/blobs/${BLOB}.0123abcd.incomplete`,
      `incomplete ${REPO}/blobs/${OTHER}.incomplete`,
    ],
  ],
];

describe('a scan', () => {
  it.each(ODD)('tells of %s', async (_what, layout, revisions, problems) => {
    const cache = await fill(await tempFolder('hub cache'), { ...SOUND, ...layout });
    expect(await shortScan(cache)).toEqual({ revisions, problems });
  });

  it('does not wait for pipes', async () => {
    const cache = await fill(await tempFolder(), SOUND);
    const pipes = [
      `${REPO}/blobs/pipe`,
      `${REPO}/refs/pipe`,
      `${REPO}/snapshots/pipe`,
      `${SNAPSHOT}/pipe`,
      'models--pipe',
    ];
    for (const pipe of pipes) await makePipe(path.join(cache, pipe));
    await fill(cache, {
      [`${REPO}/refs/to-pipe`]: link('pipe'),
      [`${SNAPSHOT}/to-pipe`]: link('../../blobs/pipe'),
    });
    expect(await shortScan(cache)).toEqual({
      revisions: [`${SOUND_REVISION} …`],
      problems: [
        `stray-file ${REPO}/snapshots/pipe`,
        `not-a-file ${REPO}/refs/pipe`,
        `bad-ref ${REPO}/refs/to-pipe holds no commit`,
        `not-a-file ${REPO}/snapshots/REV/pipe`,
        `not-a-file ${REPO}/snapshots/REV/to-pipe`,
        'foreign models--pipe',
      ],
    });
  });

  it('follows links to whole snapshots, repositories and caches', async () => {
    const elsewhere = await fill(await tempFolder('elsewhere'), {
      'contents/1': 'abc',
      'model/config.json': link('../contents/1'),
      'model/sub/x': 'x',
      'repo/blobs/b': 'abcd',
      [`repo/snapshots/${REV}/file`]: link('../../blobs/b'),
    });
    const cache = await fill(await tempFolder('hub cache'), {
      [`models--abs/snapshots/${REV}`]: link(`${elsewhere}/model`),
      [`models--chain/snapshots/${REV}`]: link(`../../models--abs/snapshots/${REV}`),
      'models--repo': link(`${elsewhere}/repo`),
      [`models--blobs/snapshots/${REV}/file`]: link('../../blobs/b'),
      'models--blobs/blobs': link(`${elsewhere}/repo/blobs`),
    });
    const expected = {
      revisions: [
        'model abs cccc []: config.json 3, sub/x 1',
        'model blobs cccc []: file 4',
        'model chain cccc []: config.json 3, sub/x 1',
        'model repo cccc []: file 4',
      ],
      problems: [],
    };
    expect(await shortScan(cache)).toEqual(expected);
    const { repos, size } = await scanCache(cache);
    expect(size).toBe('abc'.length + 'x'.length + 'abcd'.length);
    const files = repos.flatMap(({ revisions }) => revisions.flatMap((revision) => revision.files));
    expect(files.map(({ file, etag }) => [file, etag])).toEqual([
      [`${elsewhere}/contents/1`, undefined],
      [`${elsewhere}/model/sub/x`, undefined],
      [`${elsewhere}/repo/blobs/b`, 'b'],
      [`${elsewhere}/contents/1`, undefined],
      [`${elsewhere}/model/sub/x`, undefined],
      [`${elsewhere}/repo/blobs/b`, 'b'],
    ]);
    const toCache = path.join(await tempFolder(), 'cache');
    await symlink(cache, toCache);
    expect(await shortScan(toCache)).toEqual(expected);
  });

  it('tells of single links out of the cache, and counts their targets', async () => {
    const elsewhere = await fill(await tempFolder('elsewhere'), { x: 'abc', [BLOB]: 'abcd' });
    const cache = await fill(await tempFolder('hub cache'), {
      [`${SNAPSHOT}/x`]: link(`${elsewhere}/x`),
      [`${SNAPSHOT}/y`]: link(`../../blobs/${BLOB}`),
      [`${REPO}/blobs/${BLOB}`]: link(`${elsewhere}/${BLOB}`),
    });
    expect(await shortScan(cache)).toEqual({
      revisions: ['model org/name cccc []: x 3, y 4'],
      problems: [
        `outside ${REPO}/snapshots/REV/x ${elsewhere}/x`,
        `outside ${REPO}/snapshots/REV/y ${elsewhere}/${BLOB}`,
      ],
    });
  });

  it('counts a blob that repositories share once, and knows its name in each', async () => {
    const shared = 'e'.repeat(64);
    const cache = await fill(await tempFolder('hub cache'), {
      'blobs/.huggingface-shared-blobs': '1\n',
      [`blobs/ee/${shared}`]: 'weights',
      [`models--a/blobs/${BLOB}`]: link(`../../blobs/ee/${shared}`),
      [`models--a/snapshots/${REV}/sub/w`]: link(`../../../blobs/${BLOB}`),
      [`models--b/blobs/${BLOB}`]: link(`../../blobs/ee/${shared}`),
      [`models--b/snapshots/${REV}/w`]: link(`${'../'.repeat(20)}proc/self/cwd/x`),
      [`models--b/snapshots/${OTHER}/w`]: link(`../../blobs/${BLOB}`),
    });
    const { repos, size, problems } = await scanCache(cache);
    expect(size).toBe('weights'.length);
    expect(problems.map(({ kind }) => kind)).toEqual(['broken-link']);
    const revisions = repos.flatMap((repo) => repo.revisions);
    const content = { size: 7, file: `${cache}/blobs/ee/${shared}`, etag: BLOB };
    expect(revisions.map(({ files }) => files)).toEqual([
      [expect.objectContaining({ ...content, path: 'sub/w' })],
      [],
      [expect.objectContaining({ ...content, path: 'w' })],
    ]);
  });

  it('passes over what the system refuses', async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip('needs root, to become somebody else');
    const cache = await fill(await tempFolder('hub cache'), {
      ...SOUND,
      'blobs/.huggingface-shared-blobs': '1\n',
      'models--closed/snapshots/': '',
      [`models--part/snapshots/${REV}/closed/x`]: '',
      [`models--part/snapshots/${REV}/open`]: '',
      'models--part/refs/closed': REV,
    });
    const closed = [
      'blobs',
      'models--closed',
      `models--part/snapshots/${REV}/closed`,
      'models--part/refs/closed',
    ];
    await chmod(cache, 0o755);
    for (const name of closed) await chmod(path.join(cache, name), 0);
    process.seteuid?.(65_534);
    try {
      expect(await shortScan(cache)).toEqual({
        revisions: [SOUND_REVISION, 'model part cccc []: open 0 …'],
        problems: [
          'unreadable blobs EACCES',
          'foreign blobs',
          'unreadable models--closed EACCES',
          'unreadable models--part/refs/closed EACCES',
          'unreadable models--part/snapshots/REV/closed EACCES',
        ],
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  it('passes over names that are not Unicode', async () => {
    const cache = await fill(await tempFolder('hub cache'), SOUND);
    await writeFile(Buffer.from(`${cache}/${SNAPSHOT}/\u00ff`, 'latin1'), '');
    const { problems } = await shortScan(cache);
    expect(problems).toEqual([`unreadable ${REPO}/snapshots/REV/\ufffd ENOENT`]);
  });

  it('gives up on folders that are deeper than paths may be long', async () => {
    const cache = await fill(await tempFolder('hub cache'), SOUND);
    const chain = Array.from({ length: 12 }, () => 'd'.repeat(200)).join('/');
    const [upper, lower] = [
      path.join(cache, SNAPSHOT, chain),
      path.join(cache, REPO, 'refs', chain),
    ];
    await mkdir(upper, { recursive: true });
    await mkdir(lower, { recursive: true });
    const moved = path.join(upper, 'moved');
    await rename(path.join(cache, REPO, 'refs'), moved);
    await symlink(path.relative(`${cache}/${REPO}`, moved), path.join(cache, REPO, 'refs'));
    try {
      const { problems, revisions } = await shortScan(cache);
      expect(revisions).toEqual([expect.stringMatching(/^model org\/name cccc \[main\]: .+ …$/u)]);
      expect(problems).toEqual([expect.stringMatching(/^unreadable \S+ ENAMETOOLONG$/u)]);
    } finally {
      await rename(moved, path.join(cache, 'refs'));
    }
  });

  it('ends when it is told to', async () => {
    const cache = await fill(await tempFolder('hub cache'), SOUND);
    await expect(scanCache(cache, AbortSignal.abort())).rejects.toThrow('aborted');
  });

  it('finds no cache, or cannot read what is in its place', async () => {
    const folder = await fill(await tempFolder(), { file: '', circle: link('circle') });
    const none = { found: false, repos: [], size: 0, problems: [] };
    expect(await scanCache(`${folder}/none`)).toEqual(none);
    for (const name of ['file', 'circle', 'file/x']) {
      await expect(scanCache(`${folder}/${name}`)).rejects.toMatchObject({
        code: 'EHUG_FILE_SYSTEM',
      });
    }
  });
});
