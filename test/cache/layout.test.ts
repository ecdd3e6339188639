import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { blobPath, cacheFolderIn, repoFolderName, snapshotPath } from '../../src/cache/layout.ts';
import { describeClients } from '../support/python.ts';

const exec = promisify(execFile);

const HOME = '/home/someone';
const CASES: readonly Readonly<Record<string, string>>[] = [
  {},
  { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { HF_HOME: '/c', XDG_CACHE_HOME: '/d' },
  { XDG_CACHE_HOME: '/d' },
  { HF_HUB_CACHE: '', HF_HOME: '/c' },
  { HF_HOME: '' },
  { XDG_CACHE_HOME: '' },
  { HF_HOME: '~' },
  { HF_HOME: '~/x' },
  { HF_HOME: '~~/x' },
  { HF_HOME: '/x/~' },
  { HF_HUB_CACHE: '$A/x${B}$NOPE${NOPE}', A: '/a', B: 'b' },
  { HF_HUB_CACHE: '$A', A: '$B', B: 'b' },
  { HF_HUB_CACHE: '$A', A: '~' },
  { HF_HUB_CACHE: '$' },
  { HF_HUB_CACHE: '${' },
  { HF_HUB_CACHE: '${A', A: 'a' },
  { HF_HUB_CACHE: '$Aé$é', A: 'a' },
  { HUGGINGFACE_HUB_CACHE: '~/$A', A: 'a' },
  { XDG_CACHE_HOME: '$A', A: '/a' },
  { XDG_CACHE_HOME: '~/a' },
];

describe('cache folder', () => {
  it.each([
    [{}, '/home/someone/.cache/huggingface/hub'],
    [{ HF_HUB_CACHE: '/a', HF_HOME: '/c' }, '/a'],
    [{ HF_HOME: '~/x' }, '/home/someone/x/hub'],
    [{ HF_HOME: '' }, 'hub'],
  ])('of %j is %s', (env, folder) => {
    expect(cacheFolderIn(env, HOME)).toBe(folder);
  });
});

describeClients(({ python }) => {
  it.each(CASES)('has the same cache folder for %j', async (env) => {
    const { stdout } = await exec(
      python,
      ['-c', 'from huggingface_hub import constants; print(constants.HF_HUB_CACHE, end="")'],
      { env: { HOME, PYTHONUTF8: '1', ...env } },
    );
    expect(path.resolve(cacheFolderIn(env, HOME))).toBe(path.resolve(stdout));
  });
});

describe('paths in the cache', () => {
  const name = { rev: 'c'.repeat(40), path: 'a/b.bin', etag: 'e' };

  it.each([
    ['model', 'org/name', 'models--org--name'],
    ['model', 'gpt2', 'models--gpt2'],
    ['dataset', 'org/na-me.x', 'datasets--org--na-me.x'],
  ] as const)('of %s %s begin with %s', (type, id, folder) => {
    expect(repoFolderName(type, id)).toBe(folder);
    expect(blobPath('/c', { ...name, type, id })).toBe(`/c/${folder}/blobs/e`);
    expect(snapshotPath('/c', { ...name, type, id })).toBe(
      `/c/${folder}/snapshots/${name.rev}/a/b.bin`,
    );
  });
});
