import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { serveFiles } from '../nix/file-server.ts';
import { makeRepository, type Repository } from '../nix/repository.ts';
import { ended } from '../support/ended.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
/** skopeo and a registry of Debian's development version, by `make setup-compat`. */
const ROOT = path.join(REPOSITORY, '.cache/oci-root');
if (!existsSync(ROOT) && process.env['CI'] === 'true') throw new Error(`There is no ${ROOT}`);

/** More files than `nix/in-lanes.nix` leaves without lanes. */
const SHARDS = Array.from({ length: 70 }, (_, index) => `shards/${index}.safetensors`);

const model = await makeRepository({
  ref: 'v1.0',
  files: {
    'README.md': '# text',
    'config.json': '{}',
    'copy/config.json': '{}',
    empty: '',
    'größe "x".txt': 'odd',
  },
  lfs: {
    'model.safetensors': 'weights\0',
    ...Object.fromEntries(SHARDS.map((name) => [name, `content of ${name}`])),
  },
});

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** The SHA-256 of a locked file, as an image has it. */
function digestIn({ entry }: Repository, file: string): string {
  const { hash } = entry.files.get(file) ?? {};
  return `sha256:${Buffer.from(hash?.slice('sha256-'.length) ?? '', 'base64').toString('hex')}`;
}

describe.skipIf(!existsSync(ROOT))('the image of a model', () => {
  describeNix('made by Nix', (nix) => {
    /** Runs a program in the root, which sees the folder of the test. */
    const start = (...command: readonly string[]) => {
      const { folder } = nix();
      const program = path.join(REPOSITORY, 'scripts/in-debian-root');
      return spawn(program, [ROOT, '--bind', folder, folder, ...command], {
        env: { PATH: process.env['PATH'], HOME: path.join(folder, 'home') },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    };
    const skopeo = async (...args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await ended(start('skopeo', '--insecure-policy', ...args));
      if (status !== 0) throw new Error(stderr);
      return stdout;
    };

    let layout: string;
    let digest: unknown;
    beforeAll(async () => {
      const server = await serveFiles(model.addresses);
      try {
        const library = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; })`;
        const lock = path.join(nix().folder, 'hug.lock.json');
        await writeFile(lock, formatLock(lockOf({ m: model.entry })));
        const image = `(${library}.importLock ${nixString(lock)}).models.m.oci`;
        layout = await nix().build(image);
        digest = await nix().evaluate(`${image}.digest`);
      } finally {
        await server.close();
      }
    });

    it('is copied by skopeo, with the digests of the lock', async () => {
      const copy = path.join(nix().folder, 'copy');
      await skopeo('copy', `oci:${layout}:v1.0`, `oci:${copy}:v1.0`);
      const raw = await skopeo('inspect', '--raw', `oci:${copy}:v1.0`);
      expect(`sha256:${sha256(Buffer.from(raw))}`).toBe(digest);

      const { layers } = JSON.parse(raw);
      const files: readonly string[] = layers.map(
        (layer: { annotations: Record<string, string> }) =>
          layer.annotations['org.cncf.model.filepath'],
      );
      expect(files.toSorted()).toEqual([...model.entry.files.keys()].toSorted());
      expect(layers.map((layer: { digest: string }) => layer.digest)).toEqual(
        files.map((file) => digestIn(model, file)),
      );

      const blobs = path.join(copy, 'blobs/sha256');
      const names = await readdir(blobs);
      // Two files are the same; the configuration and the manifest are blobs too.
      expect(names).toHaveLength(files.length - 1 + 2);
      const found = names.map(async (name) => sha256(await readFile(path.join(blobs, name))));
      expect(await Promise.all(found)).toEqual(names);
    });

    it('is pushed to a registry, which keeps its digest', async () => {
      const storage = path.join(nix().folder, 'registry');
      await mkdir(storage);
      const settings = path.join(storage, 'config.json');
      await writeFile(
        settings,
        JSON.stringify({
          version: 0.1,
          storage: { filesystem: { rootdirectory: path.join(storage, 'data') } },
          http: { addr: '127.0.0.1:0' },
        }),
      );
      const registry = start('docker-registry', 'serve', settings);
      onTestFinished(() => {
        registry.kill('SIGKILL');
      });
      const port = await new Promise<string>((resolve, reject) => {
        let output = '';
        const read = (chunk: Buffer) => {
          output += chunk.toString();
          const found = /listening on 127\.0\.0\.1:(?<port>\d+)/u.exec(output)?.groups?.['port'];
          if (found !== undefined) resolve(found);
        };
        registry.stdout.on('data', read);
        registry.stderr.on('data', read);
        registry.once('close', () => reject(new Error(output)));
      });

      const image = `docker://127.0.0.1:${port}/org/name:v1.0`;
      await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}`, image);
      const raw = await skopeo('inspect', '--raw', '--tls-verify=false', image);
      expect(`sha256:${sha256(Buffer.from(raw))}`).toBe(digest);
    });
  });
});
