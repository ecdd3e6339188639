import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../test/support/nix.ts';
import { compare, type Comparison, type Contender, NIX_HUG } from './compare.ts';
import { withHub } from './hub-process.ts';

const GIB = 1024 ** 3;
const exec = promisify(execFile);

/** How much is done. */
export interface ExchangeBench {
  readonly rounds: number;
  /** Size of the file in GiB. */
  readonly gib: number;
}

/** A project whose file is in a store and in a Hugging Face cache. */
interface Filled {
  readonly project: string;
  /** The file in the cache, behind its link. */
  readonly blob: string;
  readonly nix: Nix;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * `import`, `export` and `verify` of one large file, each beside the plain tools that read and write
 * as many bytes; and the build of a cache whose files are in the store.
 */
export async function* benchExchange(bench: ExchangeBench): AsyncGenerator<Comparison> {
  const size = Math.round(bench.gib * GIB);
  yield* withHub([{ id: 'bench/one', weights: { count: 1, size } }], async function* (hub) {
    const filled = await fill(hub.endpoint);
    const work = (title: string, bytes = size) => ({ title, bytes, rounds: bench.rounds });
    const of = `of 1 × ${bench.gib} GiB`;
    try {
      yield await compare(work(`\`import\` ${of}`), importing(filled));
      yield await compare(work(`\`export\` ${of} from the store`), exporting(filled));
      yield await compare(work(`\`verify\` ${of} in store and cache`, 2 * size), verifying(filled));
      yield await compare(
        work(`\`nix-build\` of the cache after \`fetch\` ${of}`),
        building(filled),
      );
    } finally {
      await filled.nix.close();
      await rm(filled.project, { recursive: true, force: true });
    }
  });
}

async function fill(endpoint: string): Promise<Filled> {
  const parent = process.env['BENCH_DIR'] ?? tmpdir();
  const project = await mkdtemp(path.join(parent, 'nix-hug-bench-'));
  const cache = path.join(project, 'hub');
  const nix = await createNix();
  const env = { ...nix.environment, HOME: project, HF_ENDPOINT: endpoint, HF_HUB_CACHE: cache };
  await writeFile(path.join(project, 'hug.yaml'), 'models: { m: bench/one }\n');
  for (const command of ['lock', 'export', 'import']) {
    await exec(NIX_HUG[0], [NIX_HUG[1], command], { cwd: project, env });
  }
  const blobs = path.join(cache, 'models--bench--one', 'blobs');
  const [name = ''] = await readdir(blobs);
  return { project, blob: path.join(blobs, name), nix, env };
}

const sh = (script: string, ...args: readonly string[]) => ['sh', '-ec', script, 'sh', ...args];

function importing({ project, blob, env }: Filled): Contender[] {
  const withStore =
    (argv: (nix: Nix) => readonly string[]): Contender['prepare'] =>
    async () => {
      const nix = await createNix();
      const cleanUp = () => nix.close();
      return { argv: argv(nix), env: { ...env, ...nix.environment }, cwd: project, cleanUp };
    };
  const add = `builtins.path { path = /. + ${nixString(blob)}; name = "w"; recursive = false; }`;
  return [
    {
      name: 'openssl dgst, then Nix',
      prepare: withStore(() =>
        sh(
          'openssl dgst -sha256 "$1"; nix-instantiate --eval --read-write-mode -E "$2"',
          blob,
          add,
        ),
      ),
    },
    { name: 'nix-hug import', prepare: withStore(() => [...NIX_HUG, '--quiet', 'import']) },
  ];
}

function exporting({ project, blob, env }: Filled): Contender[] {
  return [
    {
      name: 'openssl dgst, then cp and sync',
      prepare: async (folder) => ({
        argv: sh('openssl dgst -sha256 "$1"; cp "$1" "$2/w"; sync "$2/w"', blob, folder),
      }),
    },
    {
      name: 'nix-hug export',
      prepare: async (folder) => ({
        argv: [...NIX_HUG, '--quiet', '--offline', 'export'],
        env: { ...env, HF_HUB_CACHE: path.join(folder, 'hub') },
        cwd: project,
      }),
    },
  ];
}

function verifying({ project, blob, env }: Filled): Contender[] {
  return [
    {
      name: 'openssl dgst, twice',
      prepare: async () => ({ argv: ['openssl', 'dgst', '-sha256', blob, blob] }),
    },
    {
      name: 'nix-hug verify',
      prepare: async () => ({ argv: [...NIX_HUG, '--quiet', 'verify'], env, cwd: project }),
    },
  ];
}

function building({ project, env }: Filled): Contender[] {
  const lock = nixString(path.join(project, 'hug.lock.json'));
  const cache = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${lock}).cache`;
  return [
    {
      name: 'nix-build',
      prepare: async () => {
        const nix = await createNix();
        const own = { ...env, ...nix.environment };
        await exec(NIX_HUG[0], [NIX_HUG[1], 'import'], { cwd: project, env: own });
        const argv = nix.commandLine('nix-build', '--no-out-link', '-E', cache);
        return { argv, env: own, cleanUp: () => nix.close() };
      },
    },
  ];
}
