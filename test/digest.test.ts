import { expect, it } from 'vitest';
import { hexOfSri, pointerIdOf, sriOfHex } from '../src/digest.ts';
import { parseLock } from '../src/lock/codec.ts';
import { namedEntries } from '../src/lock/entries.ts';
import { lfs, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';

it('the pointer of an LFS file has the git blob id that git gives it', async () => {
  const hub = await startHub();
  try {
    const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
    await repo.commit({ files: { 'a.bin': lfs('weights'), 'b.bin': lfs('') } });
    const project = await createProject(hub.endpoint, 'models: { tiny: org/tiny }');
    await project.run(['lock']);
    const lock = parseLock((await project.lockText()) ?? '', 'hug.lock.json');
    const files = namedEntries(lock).flatMap(({ entry }) => [...entry.files.values()]);
    expect(files.map(({ hash, size }) => pointerIdOf(hexOfSri(hash), size))).toEqual(
      files.map(({ oid }) => oid),
    );
    expect(files.length).toBe(2);
  } finally {
    await hub.close();
  }
});

it('a digest has two forms', () => {
  const hex = '0123456789abcdef'.repeat(4);
  expect(hexOfSri(sriOfHex(hex))).toBe(hex);
});
