import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { createNix, nixString } from '../test/support/nix.ts';
import { compare, type Comparison, type Contender, NIX_HUG, PYTHON, ROOT } from './compare.ts';
import { withHub } from './hub-process.ts';
import type { Offer, Served } from './hub.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** The download engine, built as the command is, so that no compiler runs in the measured time. */
const ENGINE = path.join(ROOT, '.cache/bench/engine.js');
const OFFICIAL =
  'import sys, huggingface_hub as h; h.snapshot_download(*sys.argv[1:2], revision=sys.argv[2])';

/** How much is done. */
export interface FetchBench {
  readonly rounds: number;
  /** Size of the large file in GiB. */
  readonly gib: number;
}

/**
 * How long it takes to bring files from a hub on this machine: to disk with plain curl and with our
 * download engine alone; into the Hugging Face cache with the official client and with `nix-hug
 * export`, which checks every digest and has the bytes reach the disk; into the Nix store with
 * `nix-hug fetch`. The last contender is what a copy in the store costs whoever brings it: curl,
 * and then Nix alone.
 */
export async function* benchFetch({ rounds, gib }: FetchBench): AsyncGenerator<Comparison> {
  const offers: Offer[] = [
    { id: 'bench/large', weights: { count: 1, size: Math.round(gib * GIB) } },
    { id: 'bench/many', weights: { count: 400, size: MIB } },
  ];
  await build({
    entryPoints: [path.join(import.meta.dirname, 'engine.ts')],
    outfile: ENGINE,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
  yield* withHub(offers, async function* ({ endpoint, served, setLatency }) {
    for (const latency of [0, 50]) {
      await setLatency(latency);
      for (const repo of served) {
        const [{ size } = { size: 0 }] = repo.weights;
        const title = `\`fetch\` of ${repo.weights.length} × ${size / MIB} MiB, ${latency} ms latency`;
        const work = { title, bytes: repo.weights.length * size, rounds };
        yield await compare(work, contendersFor(repo, endpoint));
      }
    }
  });
}

function contendersFor({ id, rev, weights: files }: Served, endpoint: string): Contender[] {
  const engine = async (folder: string) => {
    const list = path.join(folder, 'list.json');
    await writeFile(list, JSON.stringify(files));
    return { argv: [process.execPath, ENGINE, endpoint, list, folder] };
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
      name: 'nix-hug export',
      prepare: async (folder) => ({
        argv: [...NIX_HUG, '--quiet', 'export', `hf:${id}`, '--ref', rev],
        env: { HF_HOME: folder, XDG_CACHE_HOME: folder, HF_ENDPOINT: endpoint },
      }),
    },
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
