import path from 'node:path';
import { expect, it } from 'vitest';
import { type CacheScan, scanCache } from '../../src/cache/scan.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients, type PythonClient } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

/** Figures that the official client and we must agree on. */
interface Figures {
  readonly size: number;
  readonly incomplete: number;
  readonly repos: readonly unknown[];
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
  const [outcome] = await callPython(client, { home: path.dirname(cache), endpoint: '' }, [
    { call: 'scan_cache_dir', args: { cache_dir: cache } },
  ]);
  const value: any = outcome !== undefined && 'value' in outcome ? outcome.value : outcome;
  expect(value).toMatchObject({ warnings: [] });
  return {
    size: value.size_on_disk,
    incomplete: (value.incomplete_files ?? []).length,
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
        expect(ourFigures(scan)).toEqual(await theirFigures(client, cache));
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
});
