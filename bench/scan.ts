import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BenchOptions, compare, type Contender, contendersOf, PYTHON } from './compare.ts';

const REPOS = 400;
const SNAPSHOTS = 5;
/** Of each snapshot; two are LFS files, and half of all change with every commit. */
const FILES = 10;

/** Makes the system calls of `scan` in Node, and does nothing with the answers. */
const READ_ALONE = `
  const { lstatSync, readdirSync, readlinkSync } = require('node:fs');
  for (const entry of readdirSync(process.argv[1], { recursive: true, withFileTypes: true })) {
    const path = entry.parentPath + '/' + entry.name;
    if (entry.isSymbolicLink()) readlinkSync(path);
    else if (entry.isFile()) lstatSync(path);
  }`;

/**
 * `scan` of a large cache, with and without Nix, beside `hf cache ls`; and the time that reading the
 * folders, links and sizes takes alone, in Node and in C. None of the files is in the store.
 */
export async function* benchScan({ rounds, builds, isAgainst }: BenchOptions) {
  const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'nix-hug-bench-'));
  const cache = path.join(folder, 'hub');
  try {
    await fill(cache);
    const env = {
      HF_HUB_CACHE: cache,
      HF_HUB_OFFLINE: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
    };
    const list = [path.join(path.dirname(PYTHON), 'hf'), 'cache', 'ls'];
    const scans = (name: string, argv: readonly string[], more: Readonly<Record<string, string>>) =>
      contendersOf(builds, name, ({ command }) => async () => {
        // An earlier build keeps an index there.
        await rm(path.join(folder, 'nix-hug'), { recursive: true, force: true });
        return { argv: [...command, ...argv], env: { ...env, ...more } };
      });
    const readingAlone: Contender[] = [
      {
        name: 'Node, reading alone',
        prepare: async () => ({ argv: [process.execPath, '-e', READ_ALONE, cache] }),
      },
      {
        name: 'find, reading alone',
        prepare: async () => ({ argv: ['find', cache, '-printf', '%l %s\n'] }),
      },
    ];
    const title = `\`scan\` of ${REPOS * SNAPSHOTS} snapshots of ${FILES} files in ${REPOS} repositories`;
    yield await compare({ title, rounds }, [
      { name: 'hf cache ls', prepare: async () => ({ argv: list, env }) },
      ...scans('nix-hug scan', ['scan'], {}),
      ...scans('nix-hug scan --json', ['scan', '--json'], {}),
      ...scans('nix-hug scan --json, no Nix', ['scan', '--json'], { PATH: '/nonexistent' }),
      ...(isAgainst ? [] : readingAlone),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fills a cache as the official client does. */
async function fill(cache: string): Promise<void> {
  for (let repo = 0; repo < REPOS; repo += 1) {
    const folder = path.join(cache, `models--org-${repo % 40}--name-${repo}`);
    for (const part of ['blobs', 'refs', 'trees']) {
      await mkdir(path.join(folder, part), { recursive: true });
    }
    for (let snapshot = 0; snapshot < SNAPSHOTS; snapshot += 1) {
      const rev = digest('sha1', `${repo} ${snapshot}`);
      const target = path.join(folder, 'snapshots', rev);
      await mkdir(path.join(target, 'onnx'), { recursive: true });
      for (let file = 0; file < FILES; file += 1) {
        const content = `${repo} ${file} ${file % 2 === 0 ? snapshot : ''}`;
        const blob = digest(file < 2 ? 'sha256' : 'sha1', content);
        await writeFile(path.join(folder, 'blobs', blob), content);
        const isNested = file === FILES - 1;
        await symlink(
          `${isNested ? '../' : ''}../../blobs/${blob}`,
          path.join(target, isNested ? 'onnx/config.json' : `file-${file}.json`),
        );
      }
      await writeFile(path.join(folder, 'refs', snapshot === 0 ? 'main' : `v${snapshot}.0`), rev);
    }
  }
}

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text).digest('hex');
