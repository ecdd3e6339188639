import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CacheScan, scanCache } from '../../src/cache/scan.ts';
import { BLOB, fill, link, OTHER, put, REPO, REV, SOUND } from '../support/cache-layout.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients, type PythonClient } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

/** Figures that the official client and scan must agree on. */
interface Figures {
  readonly size: number;
  /** Not known to old clients. */
  readonly incomplete?: number;
  readonly repos: readonly { readonly folder: string }[];
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

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
          modified: revision.modified / 1000,
          files: revision.files
            .map((file) => [`${revision.folder}/${file.path}`, file.size])
            .toSorted(byText),
        })),
      }))
      .toSorted(byText),
  };
}

/** Figures of `scan_cache_dir`, which must accept the cache without a warning. */
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
            // A double has about 0.2 µs here, and both round the time of the file system to one.
            modified: expect.closeTo(revision.last_modified, 5),
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

describeClients((client) => {
  it.each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'fills a cache in which scan finds what the client finds (%j)',
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

  it('accepts what scan accepts, and counts the same', async () => {
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

  it('agrees on every repository in which scan finds no problem, whatever the cache', async () => {
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
          else expect(ours).toEqual(figuresOf(value).repos.filter(isSound));
          compared += ours.length;
        }
      }),
      { numRuns: 2, endOnFailure: true },
    );
    expect(compared).toBeGreaterThan(10);
  });
});
