import { describe, expect, it } from 'vitest';
import {
  blobPath,
  parseRepoFolderName,
  repoFolderName,
  snapshotPath,
} from '../../src/cache/layout.ts';

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

describe('the name of a repository folder', () => {
  it.each([
    ['models--org--name', 'model', 'org/name'],
    ['datasets--squad', 'dataset', 'squad'],
    ['spaces--a--b--c', 'space', 'a/b/c'],
    ['kernels--a---b', 'kernel', 'a/-b'],
    ['models--', 'model', ''],
  ])('%s stands for %s %s', (name, type, id) => {
    expect(parseRepoFolderName(name)).toEqual({ type, id });
  });

  it.each(['models', 'blobs', '--x', 'buckets--org--x', 'models-org', '__proto__--x'])(
    'is not %s',
    (name) => {
      expect(parseRepoFolderName(name)).toBeUndefined();
    },
  );
});
