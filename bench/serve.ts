import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import {
  type BenchOptions,
  type Build,
  compare,
  type Comparison,
  type Contender,
  PYTHON,
} from './compare.ts';
import { fillProject, type FilledProject } from './filled.ts';
import { withHub } from './hub-process.ts';
import type { Offer, Served } from './hub.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** A project that has the files of a repository. */
interface Filled extends FilledProject {
  /** The folder of the cache that has the files of the commit. */
  readonly snapshot: string;
  readonly served: Served;
}

/** `serve` beside other web servers: `curl` downloads all files, eight at once. */
export async function* benchServe(options: BenchOptions): AsyncGenerator<Comparison> {
  const { rounds, gib, builds, isAgainst } = options;
  if (isAgainst) return;
  const offers: Offer[] = [
    { id: 'bench/large', weights: { count: 1, size: Math.round(gib * GIB) } },
    { id: 'bench/many', weights: { count: 400, size: MIB } },
  ];
  yield* withHub(offers, async function* (hub) {
    for (const served of hub.served) {
      const filled = await fill(builds[0], hub.endpoint, served, ['export']);
      try {
        const [{ size } = { size: 0 }] = served.weights;
        const count = served.weights.length;
        const title = `\`serve\` of ${count} × ${size / MIB} MiB, with the client`;
        yield await compare({ title, bytes: count * size, rounds }, servers(filled, builds[0]));
      } finally {
        await filled.close();
      }
    }
  });
}

/** `run` of a program that does nothing, with a new view, by where the files are and how large. */
export async function* benchRun(options: BenchOptions): AsyncGenerator<Comparison> {
  const { rounds, gib, builds, isAgainst } = options;
  if (isAgainst) return;
  const sizes = [10 * MIB, Math.round(gib * GIB)];
  const offers = sizes.map((size): Offer => ({
    id: `bench/m${size}`,
    weights: { count: 1, size },
  }));
  yield* withHub(offers, async function* (hub) {
    const all: { filled: Filled; name: string; withNix: boolean }[] = [];
    try {
      for (const [place, commands, withNix] of [
        ['in the store', ['fetch'], true],
        ['in the cache', ['export'], false],
      ] as const) {
        for (const served of hub.served) {
          const [{ size } = { size: 0 }] = served.weights;
          const filled = await fill(builds[0], hub.endpoint, served, commands);
          all.push({ filled, name: `${size / MIB} MiB ${place}`, withNix });
        }
      }
      yield await compare(
        { title: '`run -- true`, which makes its view', rounds },
        all.flatMap(({ filled, name, withNix }) => {
          const again = running(filled, builds[0], `${name}, again`, withNix, 'view');
          return [running(filled, builds[0], name, withNix), ...(withNix ? [] : [again])];
        }),
      );
    } finally {
      for (const { filled } of all) await filled.close();
    }
  });
}

async function fill(
  build: Build,
  endpoint: string,
  served: Served,
  commands: readonly string[],
): Promise<Filled> {
  const filled = await fillProject(build, endpoint, served.id, commands);
  const folder = path.join(filled.cache, `models--${served.id.replace('/', '--')}`, 'snapshots');
  return { ...filled, served, snapshot: path.join(folder, served.rev) };
}

/** Starts `"$@"` in `$FOLDER`, downloads the list `$LIST` when it answers, and ends it. */
const DOWNLOAD = `
  cd "$FOLDER"
  "$@" >/dev/null 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do kill -0 $server; sleep 0.02; done
  curl -sSf --parallel --parallel-max 8 -K "$LIST"
  kill -TERM $server
  wait $server || true`;

/** A server, by what starts it on a port, and the address of a file on it. */
interface ServerKind {
  readonly name: string;
  readonly argv: (port: number) => readonly string[];
  readonly folder: string;
  readonly addressOf: (file: string) => string;
}

function servers(filled: Filled, { command }: Build): Contender[] {
  const { project, snapshot, served } = filled;
  const plain = (name: string, argv: ServerKind['argv']): ServerKind => ({
    name,
    argv,
    folder: snapshot,
    addressOf: (file) => `/${file}`,
  });
  const kinds: ServerKind[] = [
    plain('python -m http.server', (port) => [
      PYTHON,
      '-m',
      'http.server',
      '--bind',
      '127.0.0.1',
      String(port),
    ]),
    ...(isInstalled('busybox')
      ? [plain('busybox httpd', (port) => ['busybox', 'httpd', '-f', '-p', `127.0.0.1:${port}`])]
      : []),
    {
      name: 'nix-hug serve',
      argv: (port) => [...command, '--quiet', 'serve', '--listen', `127.0.0.1:${port}`],
      folder: project,
      addressOf: (file) => `/${served.id}/resolve/main/${file}`,
    },
  ];
  return kinds.map(({ name, argv, folder, addressOf }) => ({
    name,
    prepare: async (work) => {
      const port = await freePort();
      const address = (file: string) => `http://127.0.0.1:${port}${addressOf(file)}`;
      const files = served.weights.map(({ subject }) => subject.path ?? '');
      const lines = files.map((file, index) => `url=${address(file)}\noutput=${work}/${index}\n`);
      const list = path.join(work, 'list.txt');
      await writeFile(list, lines.join(''));
      const env = { ...filled.env, FOLDER: folder, LIST: list, PORT: String(port) };
      return { argv: ['bash', '-ec', DOWNLOAD, 'bash', ...argv(port)], env };
    },
  }));
}

/** Runs a program with a new view; with the name of one, each time with the same. */
const running = (
  { project, env }: Filled,
  { command: [node, file] }: Build,
  name: string,
  withNix: boolean,
  view?: string,
): Contender => ({
  name,
  prepare: async (folder) => ({
    argv: [node, file, '--quiet', '--offline', 'run', '--', '/bin/true'],
    env: {
      ...env,
      XDG_CACHE_HOME: path.join(project, view ?? path.basename(folder)),
      // Without Nix on it, the view is made of the cache.
      PATH: withNix ? process.env['PATH'] : '/nowhere',
    },
    cwd: project,
  }),
});

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['true']);
    return true;
  } catch {
    return false;
  }
}

/** A port of loopback that is free at the moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
