import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { commitOf } from '../nix/repository.ts';
import { ended } from '../support/ended.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { createNix, LIBRARY, type NixKind, nixString, PKGS } from '../support/nix.ts';
import { pythonClients } from '../support/python.ts';

const MEGABYTE = 1024 * 1024;
/** Prints the largest resident memory of a command in bytes. */
const MEASURE = path.join(import.meta.dirname, '..', '..', 'bench', 'measure.py');
const SHAPES = [
  { name: 'a model of 1,200 files', models: 1, files: 1_200, value: 'models.m0' },
  { name: 'a cache of 100 models of 20 files', models: 100, files: 20, value: 'cache' },
];

/** The content of a file is its own path in an address. */
const addressOf = (repo: string, name: string) => `/${repo}/resolve/${commitOf(repo)}/${name}`;

function lockText(models: number, files: number, endpoint: string): string {
  const entries = Array.from({ length: models }, (_, model) => {
    const repo = `org/m${model}`;
    const all = Array.from({ length: files }, (_unused, index) => {
      const name = `part/${index}.txt`;
      const content = addressOf(repo, name);
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

describe('a build with 1,024 open files', () => {
  let server: Server;
  let endpoint: string;
  beforeAll(async () => {
    server = createServer(({ url }, response) => response.end(url));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it.each(['system', 'current'] as const)(
    'evaluates 100,000 files without deep recursion, by the %s Nix',
    { timeout: 300_000 },
    async (kind) => {
      const nix = await createNix(kind);
      onTestFinished(() => nix.close());
      const lock = path.join(nix.folder, 'hug.lock.json');
      await writeFile(lock, lockText(1, 100_000, endpoint));
      const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}`;
      expect(await nix.evaluate(`(${hug}).cache.outPath`)).toMatch(/-huggingface-cache$/u);
    },
  );

  describe.each([
    { kind: 'system', limit: 400 },
    { kind: 'current', limit: 600 },
  ] satisfies { kind: NixKind; limit: number }[])('of the $kind Nix', ({ kind, limit }) => {
    it.each(SHAPES)(`of $name ends, in ${limit} MB`, { timeout: 300_000 }, async (shape) => {
      const nix = await createNix(kind);
      onTestFinished(() => nix.close());
      const lock = path.join(nix.folder, 'hug.lock.json');
      await writeFile(lock, lockText(shape.models, shape.files, endpoint));
      const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}`;
      const file = path.join(nix.folder, 'wide.nix');
      await writeFile(file, `(${hug}).${shape.value}`);
      const measured = path.join(nix.folder, 'result');
      const build = nix.commandLine('nix-build', file, '--out-link', measured);
      const python = pythonClients[0]?.python ?? 'python3';
      const limited = ['-c', 'ulimit -Sn 1024; exec "$@"', '-', python, MEASURE, ...build];
      const { status, stdout, stderr } = await ended(
        spawn('bash', limited, { env: nix.environment, stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout).peak / MEGABYTE).toBeLessThan(limit);
      const stored = await readdir(nix.storeDir);
      expect(stored.filter((name) => name.endsWith('.txt'))).toHaveLength(
        shape.models * shape.files,
      );
    });
  });
});
