import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatLock } from '../../src/lock/codec.ts';
import { commitOf } from '../nix/repository.ts';
import { lockedEntry, lockOf } from './locks.ts';

/** A server on loopback for any number of files: the content of a file is its own path in its address. */
export async function serveWide(): Promise<{ endpoint: string; close: () => void }> {
  const server = createServer(({ url }, response) => response.end(url));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/**
 * The text of a lock of models with many files, which that server has.
 *
 * @param files number of files of each model
 */
export function wideLockText(models: number, files: number, endpoint: string): string {
  const entries = Array.from({ length: models }, (_, model) => {
    const repo = `org/m${model}`;
    const all = Array.from({ length: files }, (_unused, index) => {
      const name = `part/${index}.txt`;
      const content = `/${repo}/resolve/${commitOf(repo)}/${name}`;
      const hash = `sha256-${createHash('sha256').update(content).digest('base64')}`;
      return [
        name,
        { size: content.length, hash, oid: 'a'.repeat(40), lfs: true as const },
      ] as const;
    });
    return [`m${model}`, lockedEntry({ repo, rev: commitOf(repo), files: new Map(all) })] as const;
  });
  return formatLock(lockOf(Object.fromEntries(entries), { endpoint }));
}
