import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import { createNix, LIBRARY, nixString, PKGS } from '../test/support/nix.ts';
import {
  type BenchOptions,
  type Build,
  buildIn,
  compare,
  type Comparison,
  type Contender,
  contendersOf,
  PYTHON,
  ROOT,
} from './compare.ts';
import { withHub } from './hub-process.ts';
import type { Offer, Served } from './hub.ts';

/** The first has no limit but the machine; latency in ms, rate in bytes per second. */
const NETWORKS: readonly {
  readonly name: string;
  readonly latency: number;
  readonly rate?: number;
}[] = [
  { name: 'no latency', latency: 0 },
  { name: '50 ms latency', latency: 50 },
  { name: '50 ms latency, 1 Gbit/s', latency: 50, rate: 125e6 },
];

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** The download engine, built as the command is, so that no compiler runs in the measured time. */
const ENGINE = path.join(ROOT, '.cache/bench/engine.js');
const OFFICIAL =
  'import sys, huggingface_hub as h; h.snapshot_download(*sys.argv[1:2], revision=sys.argv[2])';

/** Files to fetch, and where from. */
type Source = Served & { readonly endpoint: string };

/**
 * Downloads from a hub on this machine: to disk with curl and with our download engine alone; into
 * the Hugging Face cache with the official client and with `nix-hug export`, which checks every
 * digest and waits for the disk; into the Nix store with `nix-hug fetch`, with Nix alone, and with
 * curl and then Nix.
 */
export async function* benchFetch(options: BenchOptions): AsyncGenerator<Comparison> {
  const { rounds, gib, builds, isAgainst } = options;
  const large: Offer = { id: 'bench/large', weights: { count: 1, size: Math.round(gib * GIB) } };
  const many: Offer = { id: 'bench/many', weights: { count: 400, size: MIB } };
  if (!isAgainst) await bundleEngine();
  yield* withHub(isAgainst ? [many] : [large, many], async function* (hub) {
    for (const { latency, rate, name } of NETWORKS) {
      await hub.setNetwork(latency, rate);
      for (const served of hub.served) {
        const source = { ...served, endpoint: hub.endpoint };
        const [{ size } = { size: 0 }] = served.weights;
        const title = `\`fetch\` of ${served.weights.length} × ${size / MIB} MiB, ${name}`;
        const ours = [
          ...contendersOf(builds, 'nix-hug export', (build) => exporting(source, build)),
          ...contendersOf(builds, 'nix-hug fetch', (build) => fetching(source, build)),
        ];
        yield await compare(
          { title, bytes: served.weights.length * size, rounds },
          isAgainst ? ours : [...others(source), ...ours],
        );
      }
    }
  });
}

async function bundleEngine(): Promise<void> {
  await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, 'engine.ts')],
    outfile: ENGINE,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
}

const exporting =
  ({ id, rev, endpoint }: Source, { command }: Build): Contender['prepare'] =>
  async (folder) => ({
    argv: [...command, '--quiet', 'export', `hf:${id}`, '--ref', rev],
    env: { HF_HOME: folder, XDG_CACHE_HOME: folder, HF_ENDPOINT: endpoint },
  });

const fetching =
  (source: Source, build: Build): Contender['prepare'] =>
  async (folder) => {
    const { nix, env } = await locked(source, build, folder);
    return { argv: [...build.command, '--quiet', 'fetch'], env, cleanUp: () => nix.close() };
  };

/** An empty store, and a folder with a lock. */
async function locked({ id, rev, endpoint }: Source, { command }: Build, folder: string) {
  const nix = await createNix();
  const env = { ...nix.environment, HOME: folder, HF_ENDPOINT: endpoint };
  const manifest = `models: { m: { repo: ${id}, ref: ${rev} } }\n`;
  await writeFile(path.join(folder, 'hug.yaml'), manifest);
  const [node, file] = command;
  await promisify(execFile)(node, [file, 'lock'], { cwd: folder, env });
  return { nix, env };
}

/** Other programs that download the same. */
function others(source: Source): Contender[] {
  const { id, rev, endpoint, weights: files } = source;
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
      name: 'curl, then Nix',
      prepare: async (folder) => {
        const nix = await createNix();
        const { argv } = await curl(folder);
        const paths = files.map((_, index) => {
          const file = `/. + ${nixString(path.join(folder, String(index)))}`;
          return `(builtins.path { path = ${file}; name = "${index}"; recursive = false; })`;
        });
        const expression = path.join(folder, 'add.nix');
        await writeFile(expression, `[ ${paths.join('\n')} ]`);
        const add = ['nix-instantiate', '--eval', '--strict', '--read-write-mode', expression];
        const shell = ['sh', '-ec', '"$@"; eval "$ADD"', 'sh', ...argv];
        const env = { ...nix.environment, HOME: folder, ADD: add.join(' ') };
        return { argv: shell, env, cleanUp: () => nix.close() };
      },
    },
    {
      name: 'nix-build, by Nix alone',
      prepare: async (folder) => {
        const { nix, env } = await locked(source, buildIn(ROOT, ''), folder);
        const library = `${LIBRARY} { pkgs = ${PKGS}; endpoint = ${nixString(endpoint)}; }`;
        const lock = nixString(path.join(folder, 'hug.lock.json'));
        const model = `((${library}).importLock ${lock}).models.m`;
        const argv = nix.commandLine('nix-build', '--no-out-link', '-E', model);
        return { argv, env, cleanUp: () => nix.close() };
      },
    },
  ];
}
