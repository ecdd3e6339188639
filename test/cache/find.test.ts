import { createHash } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type CachedContent,
  createCacheIndex,
  findInCache,
  readContent,
} from '../../src/cache/find.ts';
import { blobPath, snapshotPath } from '../../src/cache/layout.ts';
import { startHub, lfs } from '../support/hub/index.ts';
import { callPython, describeClients } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

const WEIGHTS = 'weights';
const sha256 = createHash('sha256').update(WEIGHTS).digest();

const NAME = {
  type: 'model',
  id: 'org/tiny',
  rev: 'c'.repeat(40),
  path: 'sub/model.safetensors',
  etag: sha256.toString('hex'),
} as const;
const CONTENT: CachedContent = {
  names: [NAME],
  size: WEIGHTS.length,
  digest: { kind: 'sha256', hex: sha256.toString('hex') },
};

const ignore = () => undefined;

async function put(file: string, content: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

describe('the Hugging Face cache', () => {
  it('may be missing', async () => {
    const none = { file: undefined, damaged: [] };
    expect(await findInCache(createCacheIndex('/nonexistent'), CONTENT, ignore)).toEqual(none);
  });

  it('has a content as a blob, as a file in the snapshot, or as a link into a shared store', async () => {
    const cache = await tempFolder('hub cache');
    const shared = await put(path.join(cache, 'blobs', 'ab', 'abcd'), WEIGHTS);
    const blob = blobPath(cache, NAME);
    await mkdir(path.dirname(blob), { recursive: true });
    await symlink(path.relative(path.dirname(blob), shared), blob);
    expect(await findInCache(createCacheIndex(cache), CONTENT, ignore)).toEqual({
      file: shared,
      damaged: [],
    });
    await rm(blob);
    const file = await put(snapshotPath(cache, NAME), WEIGHTS);
    expect(await findInCache(createCacheIndex(cache), CONTENT, ignore)).toEqual({
      file,
      damaged: [],
    });
    await put(blob, WEIGHTS);
    expect(await findInCache(createCacheIndex(cache), CONTENT, ignore)).toEqual({
      file: blob,
      damaged: [],
    });
  });

  it('is read to the end, with progress', async () => {
    const cache = await tempFolder();
    await put(blobPath(cache, NAME), WEIGHTS);
    const seen: number[] = [];
    await findInCache(createCacheIndex(cache), CONTENT, (read) => seen.push(read));
    expect(seen.at(-1)).toBe(WEIGHTS.length);
  });

  it('is verified: damage is reported, and the next name is tried', async () => {
    const cache = await tempFolder();
    const other = { ...NAME, id: 'tiny' };
    const content = { ...CONTENT, names: [NAME, other] };
    const flipped = await put(blobPath(cache, NAME), 'Weights');
    const short = await put(snapshotPath(cache, NAME), 'weight');
    const folder = blobPath(cache, other);
    await mkdir(folder, { recursive: true });
    const damaged = [
      { file: flipped, reason: expect.stringMatching(/^has the digest .+, expected sha256-/u) },
      { file: short, reason: 'has 6 bytes, expected 7' },
      { file: folder, reason: 'is not a file' },
    ];
    expect(await findInCache(createCacheIndex(cache), content, ignore)).toEqual({
      file: undefined,
      damaged,
    });
    const sound = await put(snapshotPath(cache, other), WEIGHTS);
    expect(await findInCache(createCacheIndex(cache), content, ignore)).toEqual({
      file: sound,
      damaged,
    });
  });

  it('may have links that lead nowhere, or in circles', async () => {
    const cache = await tempFolder();
    for (const [file, target] of [
      [blobPath(cache, NAME), 'nowhere'],
      [snapshotPath(cache, NAME), path.basename(NAME.path)],
    ] as const) {
      await mkdir(path.dirname(file), { recursive: true });
      await symlink(target, file);
    }
    expect(await findInCache(createCacheIndex(cache), CONTENT, ignore)).toEqual({
      file: undefined,
      damaged: [],
    });
  });
});

describeClients((client) => {
  it.each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'fills a cache that is read (%j)',
    async (env) => {
      const hub = await startHub();
      try {
        const repo = await hub.createRepo({ type: 'model', id: NAME.id });
        const plain = 'a plain file\n';
        const rev = await repo.commit({ files: { [NAME.path]: lfs(WEIGHTS), 'a/ü b.txt': plain } });
        const home = await tempFolder();
        await callPython(client, { home, endpoint: hub.endpoint, env }, [
          { call: 'snapshot_download', args: { repo_id: NAME.id } },
        ]);
        const cache = path.join(home, 'hub');
        const weights = { ...CONTENT, names: [{ ...NAME, rev }] };
        expect((await findInCache(createCacheIndex(cache), weights, ignore)).file).toContain(cache);
        const oid = createHash('sha1').update(`blob ${plain.length}\0${plain}`).digest('hex');
        const text = {
          names: [{ ...NAME, rev, path: 'a/ü b.txt', etag: oid }],
          size: plain.length,
          digest: {
            kind: 'sha256',
            hex: createHash('sha256').update(plain).digest('hex'),
          } as const,
        };
        expect((await findInCache(createCacheIndex(cache), text, ignore)).file).toContain(cache);
      } finally {
        await hub.close();
      }
    },
  );
});

describe('a content', () => {
  it('that nobody reads yet does not end the process when the signal comes', async () => {
    const file = await put(path.join(await tempFolder(), 'file'), WEIGHTS);
    const defects: unknown[] = [];
    const note = (error: unknown) => void defects.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', note);
    onTestFinished(() => {
      process.off('uncaughtException', note);
      for (const each of others) process.on('uncaughtException', each);
    });
    const controller = new AbortController();
    const content = readContent(file, controller.signal);
    controller.abort();
    await setTimeout(50);
    expect(defects).toEqual([]);
    await expect(content.next()).rejects.toThrow('aborted');
  });
});
