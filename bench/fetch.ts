import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { createNix, nixString } from '../test/support/nix.ts';
import { compare, type Contender, NIX_HUG, PYTHON } from './compare.ts';
import type { Offer, Ready, Served } from './hub.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const OFFICIAL =
  'import sys, huggingface_hub as h; h.snapshot_download(*sys.argv[1:2], revision=sys.argv[2])';

/** How much is done. */
export interface FetchBench {
  readonly rounds: number;
  /** Size of the large file in GiB. */
  readonly gib: number;
}

/**
 * How long it takes to bring files from a hub on this machine into the Nix store with `nix-hug
 * fetch`, and to disk with our download engine alone, the official client and plain curl. The last
 * contender is what a copy in the store costs whoever brings it: curl, and then Nix alone.
 */
export async function benchFetch({ rounds, gib }: FetchBench): Promise<void> {
  const offers: Offer[] = [
    { id: 'bench/large', count: 1, size: Math.round(gib * GIB) },
    { id: 'bench/many', count: 400, size: MIB },
  ];
  const hub = fork(path.join(import.meta.dirname, 'hub.js'), [JSON.stringify(offers)]);
  try {
    const ready = new Promise<Ready>((resolve) =>
      hub.once('message', (message: Ready) => resolve(message)),
    );
    const { endpoint, served } = await ready;
    for (const latency of [0, 50]) {
      hub.send(latency);
      await once(hub, 'message');
      for (const repo of served) {
        const [{ size } = { size: 0 }] = repo.files;
        const title = `fetch ${repo.files.length} × ${size / MIB} MiB, ${latency} ms latency`;
        const work = { title, bytes: repo.files.length * size, rounds };
        await compare(work, contendersFor(repo, endpoint));
      }
    }
  } finally {
    hub.disconnect();
  }
}

function contendersFor({ id, rev, files }: Served, endpoint: string): Contender[] {
  const engine = async (folder: string) => {
    const list = path.join(folder, 'list.json');
    await writeFile(list, JSON.stringify(files));
    const script = path.join(import.meta.dirname, 'engine.js');
    return { argv: [process.execPath, script, endpoint, list, folder] };
  };
  const curl = async (folder: string) => {
    const list = path.join(folder, 'list.txt');
    const lines = files.map(({ url }, index) => `url=${url}\noutput=${folder}/${index}\n`);
    await writeFile(list, lines.join(''));
    return { argv: ['curl', '-sSfL', '--parallel', '--parallel-max', '8', '-K', list] };
  };
  return [
    {
      name: 'huggingface_hub',
      prepare: async (folder) => ({
        argv: [PYTHON, '-c', OFFICIAL, id, rev],
        env: {
          HF_HOME: folder,
          HF_ENDPOINT: endpoint,
          HF_HUB_DISABLE_XET: '1',
          HF_HUB_DISABLE_PROGRESS_BARS: '1',
          HF_HUB_DISABLE_TELEMETRY: '1',
        },
      }),
    },
    { name: 'curl', prepare: curl },
    { name: 'nix-hug, engine alone', prepare: engine },
    {
      name: 'nix-hug fetch',
      prepare: async (folder) => {
        const nix = await createNix();
        const env = { ...nix.environment, HOME: folder, HF_ENDPOINT: endpoint };
        await writeFile(
          path.join(folder, 'hug.yaml'),
          `models: { m: { repo: ${id}, ref: ${rev} } }\n`,
        );
        await promisify(execFile)(NIX_HUG[0], [NIX_HUG[1], 'lock'], { cwd: folder, env });
        return { argv: [...NIX_HUG, '--quiet', 'fetch'], env, cleanUp: () => nix.close() };
      },
    },
    {
      name: 'curl, then Nix',
      prepare: async (folder) => {
        const nix = await createNix();
        const { argv } = await curl(folder);
        const paths = files.map((_, index) => {
          const source = `/. + ${nixString(path.join(folder, String(index)))}`;
          return `(builtins.path { path = ${source}; name = "${index}"; recursive = false; })`;
        });
        const expression = path.join(folder, 'add.nix');
        await writeFile(expression, `[ ${paths.join('\n')} ]`);
        const add = ['nix-instantiate', '--eval', '--strict', '--read-write-mode', expression];
        const shell = ['sh', '-ec', '"$@"; eval "$ADD"', 'sh', ...argv];
        const env = { ...nix.environment, HOME: folder, ADD: add.join(' ') };
        return { argv: shell, env, cleanUp: () => nix.close() };
      },
    },
  ];
}
