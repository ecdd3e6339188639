import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ended } from '../support/ended.ts';
import { createNix, LIBRARY, type NixKind, nixString, PKGS } from '../support/nix.ts';
import { pythonClients } from '../support/python.ts';
import { serveWide, wideLockText } from '../support/wide-lock.ts';

const MEGABYTE = 1024 * 1024;
/** Prints the largest resident memory of a command in bytes. */
const MEASURE = path.join(import.meta.dirname, '..', '..', 'bench', 'measure.py');
const SHAPES = [
  { name: 'a model of 1,200 files', models: 1, files: 1_200, value: 'models.m0' },
  { name: 'a cache of 100 models of 20 files', models: 100, files: 20, value: 'cache' },
];

describe('a build with 1,024 open files', () => {
  let server: Awaited<ReturnType<typeof serveWide>>;
  beforeAll(async () => {
    server = await serveWide();
  });
  afterAll(() => server.close());

  it.each(['system', 'stable', 'current'] as const)(
    'evaluates 100,000 files without deep recursion, by the %s Nix',
    { timeout: 300_000 },
    async (kind) => {
      const nix = await createNix(kind);
      onTestFinished(() => nix.close());
      const lock = path.join(nix.folder, 'hug.lock.json');
      await writeFile(lock, wideLockText(1, 100_000, server.endpoint));
      const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}`;
      expect(await nix.evaluate(`(${hug}).cache.outPath`)).toMatch(/-huggingface-cache$/u);
    },
  );

  describe.each([
    { kind: 'system', limit: 400 },
    { kind: 'stable', limit: 600 },
    { kind: 'current', limit: 600 },
  ] satisfies { kind: NixKind; limit: number }[])('of the $kind Nix', ({ kind, limit }) => {
    it.each(SHAPES)(`of $name ends, in ${limit} MB`, { timeout: 300_000 }, async (shape) => {
      const nix = await createNix(kind);
      onTestFinished(() => nix.close());
      const lock = path.join(nix.folder, 'hug.lock.json');
      await writeFile(lock, wideLockText(shape.models, shape.files, server.endpoint));
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
