import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { createNix, nixString, PKGS } from '../test/support/nix.ts';
import {
  type BenchOptions,
  type Build,
  compare,
  type Comparison,
  type Contender,
  contendersOf,
} from './compare.ts';
import { fillProject, type FilledProject } from './filled.ts';
import { withHub } from './hub-process.ts';

const GIB = 1024 ** 3;
const exec = promisify(execFile);

/** A project whose file is in a store and in a Hugging Face cache. */
interface Filled extends FilledProject {
  /** The file in the cache, behind its link. */
  readonly blob: string;
}

/**
 * `import`, `export` and `verify` of one large file, each beside the plain tools that read and write
 * as many bytes; and the build of a cache whose files are in the store.
 */
export async function* benchExchange(options: BenchOptions): AsyncGenerator<Comparison> {
  const { gib, rounds, builds, isAgainst } = options;
  const size = Math.round(gib * GIB);
  yield* withHub([{ id: 'bench/one', weights: { count: 1, size } }], async function* (hub) {
    const filled = await fill(builds[0], hub.endpoint);
    const measure = (title: string, bytes: number, plain: Contender, ours: readonly Contender[]) =>
      compare({ title, bytes, rounds }, isAgainst ? ours : [plain, ...ours]);
    const of = `of 1 × ${gib} GiB`;
    try {
      yield await measure(
        `\`import\` ${of}`,
        size,
        plainImport(filled),
        contendersOf(builds, 'nix-hug import', (build) => importing(filled, build)),
      );
      yield await measure(
        `\`export\` ${of} from the store`,
        size,
        plainExport(filled),
        contendersOf(builds, 'nix-hug export', (build) => exporting(filled, build)),
      );
      const [newest] = builds;
      if (!isAgainst) {
        yield await compare({ title: `Links ${of} in the store`, bytes: size, rounds }, [
          { name: 'nix-hug export, a copy', prepare: exporting(filled, newest) },
          { name: 'nix-hug export --link', prepare: exporting(filled, newest, '--link') },
          { name: 'nix-hug run, which makes its view', prepare: running(filled, newest) },
        ]);
      }
      yield await measure(
        `\`verify\` ${of} in store and cache`,
        2 * size,
        plainVerify(filled),
        contendersOf(builds, 'nix-hug verify', (build) => verifying(filled, build)),
      );
      yield await compare(
        { title: `\`nix-build\` of the cache after \`fetch\` ${of}`, bytes: size, rounds },
        contendersOf(builds, 'nix-build', (build) => building(filled, build)),
      );
    } finally {
      await filled.close();
    }
  });
}

async function fill(build: Build, endpoint: string): Promise<Filled> {
  const filled = await fillProject(build, endpoint, 'bench/one', ['export', 'import']);
  const blobs = path.join(filled.cache, 'models--bench--one', 'blobs');
  const [name = ''] = await readdir(blobs);
  return { ...filled, blob: path.join(blobs, name) };
}

const sh = (script: string, ...args: readonly string[]) => ['sh', '-ec', script, 'sh', ...args];

/** Runs a command with a store of its own, which is empty. */
const withStore =
  ({ project, env }: Filled, argv: readonly string[]): Contender['prepare'] =>
  async () => {
    const nix = await createNix();
    const cleanUp = () => nix.close();
    return { argv, env: { ...env, ...nix.environment }, cwd: project, cleanUp };
  };

const importing = (filled: Filled, { command }: Build) =>
  withStore(filled, [...command, '--quiet', 'import']);

function plainImport(filled: Filled): Contender {
  const { blob } = filled;
  const add = `builtins.path { path = /. + ${nixString(blob)}; name = "w"; recursive = false; }`;
  const script = 'openssl dgst -sha256 "$1"; nix-instantiate --eval --read-write-mode -E "$2"';
  return {
    name: 'openssl dgst, then Nix',
    prepare: withStore(filled, sh(script, blob, add)),
  };
}

const exporting =
  (
    { project, env }: Filled,
    { command }: Build,
    ...more: readonly string[]
  ): Contender['prepare'] =>
  async (folder) => ({
    argv: [...command, '--quiet', '--offline', 'export', ...more],
    env: { ...env, HF_HUB_CACHE: path.join(folder, 'hub') },
    cwd: project,
  });

const running =
  ({ project, env }: Filled, { command }: Build): Contender['prepare'] =>
  async (folder) => ({
    argv: [...command, '--quiet', '--offline', 'run', '--', 'true'],
    env: { ...env, XDG_CACHE_HOME: folder },
    cwd: project,
  });

const plainExport = ({ blob }: Filled): Contender => ({
  name: 'openssl dgst, then cp and sync',
  prepare: async (folder) => ({
    argv: sh('openssl dgst -sha256 "$1"; cp "$1" "$2/w"; sync "$2/w"', blob, folder),
  }),
});

const verifying =
  ({ project, env }: Filled, { command }: Build): Contender['prepare'] =>
  async () => ({ argv: [...command, '--quiet', 'verify'], env, cwd: project });

const plainVerify = ({ blob }: Filled): Contender => ({
  name: 'openssl dgst, twice',
  prepare: async () => ({ argv: ['openssl', 'dgst', '-sha256', blob, blob] }),
});

function building(
  { project, env }: Filled,
  { folder, command: [node, file] }: Build,
): Contender['prepare'] {
  const library = `(import ${nixString(path.join(folder, 'nix'))} { pkgs = ${PKGS}; })`;
  const cache = `(${library}.importLock ${nixString(path.join(project, 'hug.lock.json'))}).cache`;
  return async () => {
    const nix = await createNix();
    const own = { ...env, ...nix.environment };
    await exec(node, [file, 'import'], { cwd: project, env: own });
    const argv = nix.commandLine('nix-build', '--no-out-link', '-E', cache);
    return { argv, env: own, cleanUp: () => nix.close() };
  };
}
