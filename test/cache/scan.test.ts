import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scanCache } from '../../src/cache/scan.ts';
import {
  BLOB,
  fill,
  type Layout,
  link,
  OTHER,
  REPO,
  REV,
  SNAPSHOT,
  SOUND,
} from '../support/cache-layout.ts';
import { tempFolder } from '../support/temp.ts';

const makePipe = async (file: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true });
  await promisify(execFile)('mkfifo', [file]);
};

/** A scan as lines: `type id rev [refs]: paths with sizes`, and problems as `kind path`. */
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

/** Layouts that are added to `SOUND`, with the revisions and problems that a scan then finds. */
const CASES: readonly (readonly [string, Layout, readonly string[], readonly string[]])[] = [
  [
    "no problem for the client's own files and those of operating systems",
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
    'files and folders that are not part of a cache',
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
    'repositories of every type, and ids without an owner',
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
    'folders whose names are not those of repositories',
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
    'snapshots that are files, broken links, circles of links, or not named after a commit',
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
    'links that are broken, lead to folders or in circles, or do not lead to a blob',
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
    'blobs that are links to nothing or to a folder',
    {
      [`${REPO}/blobs/folder`]: link('.'),
      [`${REPO}/blobs/gone`]: link('nowhere'),
      [`${SNAPSHOT}/folder`]: link('../../blobs/folder'),
      [`${SNAPSHOT}/gone`]: link('../../blobs/gone'),
    },
    ['model org/name cccc [main]: config.json 2 …'],
    [
      `linked-folder ${REPO}/snapshots/REV/folder ../../blobs/folder`,
      `broken-link ${REPO}/snapshots/REV/gone`,
    ],
  ],
  [
    'names that no repository can have',
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
    'a file in place of refs, and a broken link in place of blobs',
    { [`models--x/refs`]: '', [`models--x/blobs`]: link('nowhere'), [`models--x/snapshots/`]: '' },
    [SOUND_REVISION],
    ['broken-link models--x/blobs', 'stray-file models--x/refs'],
  ],
  [
    'files of interrupted downloads',
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
  it.each(CASES)('reports %s', async (_what, layout, revisions, problems) => {
    const cache = await fill(await tempFolder('hub cache'), { ...SOUND, ...layout });
    expect(await shortScan(cache)).toEqual({ revisions, problems });
  });

  it('does not wait for a FIFO', async () => {
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

  it('reports single links out of the cache, and counts their targets', async () => {
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

  it('counts a shared blob once, and finds its name in each repository', async () => {
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

  it('does not take a link through a linked folder for one to a blob of its repository', async () => {
    const cache = await fill(await tempFolder('hub cache'), {
      ...SOUND,
      [`models--other/blobs/${BLOB}`]: 'longer',
      'models--other/snapshots/': '',
      [`${REPO}/other`]: link('../models--other/snapshots'),
      [`${SNAPSHOT}/other.json`]: link(`../../other/../blobs/${BLOB}`),
      [`${SNAPSHOT}/own.json`]: link(`../../snapshots/../blobs/${BLOB}`),
    });
    const { repos, problems } = await scanCache(cache);
    expect(problems).toEqual([]);
    const files = repos.flatMap(({ revisions }) => revisions.flatMap((revision) => revision.files));
    expect(files.map(({ path: name, size, etag }) => [name, size, etag])).toEqual([
      ['config.json', 2, BLOB],
      ['other.json', 6, undefined],
      ['own.json', 2, BLOB],
    ]);
  });

  it('reports what the user may not read, and reads the rest', async ({ skip }) => {
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

  it('reports names that are not Unicode', async () => {
    const cache = await fill(await tempFolder('hub cache'), SOUND);
    await writeFile(Buffer.from(`${cache}/${SNAPSHOT}/\u00ff`, 'latin1'), '');
    const { problems } = await shortScan(cache);
    expect(problems).toEqual([`unreadable ${REPO}/snapshots/REV/\ufffd ENOENT`]);
  });

  it('reports folders whose path is too long', async () => {
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

  it('ends when the signal is aborted', async () => {
    const cache = await fill(await tempFolder('hub cache'), SOUND);
    await expect(scanCache(cache, AbortSignal.abort())).rejects.toThrow('aborted');
  });

  it('finds no cache, or fails when it cannot be read', async () => {
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
