import { access, realpath } from 'node:fs/promises';
import { HugError, messageOf } from '../errors.ts';
import { nixString } from '../quote.ts';
import { build, findNixpkgs, type Nixpkgs } from './nixpkgs.ts';
import { chunked } from './nix-tool.ts';
import { createRunTool, READS_ANY_FILE, type ToolWorld } from './nix-tool.ts';

/** A file that is to be in the store. */
export interface FileToAdd {
  /** Path of the content. */
  readonly file: string;
  /** Name in the store. */
  readonly name: string;
  /** The store path it must get, see `storePathOf`. */
  readonly storePath: string;
}

/** The Nix that is in use. */
interface NixFacts {
  /** `/nix/store`, or where else this Nix keeps its store. */
  readonly storeFolder: string;
  readonly version: string;
  /** A folder on the disk of the store; `undefined` when the store lies at no path of its own. */
  readonly diskFolder: string | undefined;
}

/** What nix-hug asks of Nix. All methods throw the errors of `RunTool`. */
export interface Nix {
  /** Asks Nix about itself. */
  facts(): Promise<NixFacts>;
  /** Those of the paths that are not in the store. */
  missing(storePaths: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Adds files by their SHA-256.
   *
   * @throws HugError `EHUG_INTEGRITY` when a file is not what its store path says; it is not in the
   *   store then, while others of the same call may be
   */
  add(files: readonly FileToAdd[]): Promise<void>;
  /**
   * Keeps paths from the garbage collector, by a link for each group.
   *
   * @param folder where the links go
   * @param groups store paths by the name of their link; those of an earlier call are let go
   */
  keep(folder: string, groups: ReadonlyMap<string, readonly string[]>): Promise<void>;
  /** A nixpkgs, see `findNixpkgs`. */
  nixpkgs(offline: boolean): Promise<Nixpkgs | undefined>;
  /** Builds an expression, see `build`. */
  build(
    expression: string,
    options: readonly string[],
    outLink: string | undefined,
  ): Promise<string>;
}

/** How Nix is used. */
export interface NixOptions extends ToolWorld {
  /** Path of the nixpkgs that the packaged nix-hug was built with. */
  readonly packagedNixpkgs?: string | undefined;
  /** Whether the store lies elsewhere than its paths say: below another root, or on another machine. */
  readonly isElsewhere?: boolean;
}

/** Nix by its command line. */
export function createNix({ packagedNixpkgs, isElsewhere = false, ...world }: NixOptions): Nix {
  const run = createRunTool(world);

  /** The value of an expression as JSON. */
  const evaluate = (expression: string, ...options: readonly string[]): Promise<string> =>
    run(
      'nix-instantiate',
      ['--eval', '--strict', '--json', ...READS_ANY_FILE, ...options, '-'],
      expression,
    );

  async function add(files: readonly FileToAdd[]): Promise<void> {
    const added: string[] = JSON.parse(await evaluate(await copies(files), '--read-write-mode'));
    const wrong = files.flatMap(({ storePath, file }, index) =>
      added[index] === storePath ? [] : [{ file, stray: added[index] }],
    );
    const [first] = wrong;
    if (first === undefined) return;
    for (const { stray } of wrong) {
      // A path that something else holds on to is no stray.
      if (stray !== undefined) await run('nix-store', ['--delete', stray]).catch(() => undefined);
    }
    throw new HugError('EHUG_INTEGRITY', `${first.file} changed while it was added to the store`, {
      hint: 'Run it again; if it stays, something writes to that file.',
    });
  }

  return {
    async facts() {
      const facts: Omit<NixFacts, 'diskFolder'> = JSON.parse(
        await evaluate('{ storeFolder = builtins.storeDir; version = builtins.nixVersion; }'),
      );
      const { storeFolder } = facts;
      // By a setting, too, a store may lie elsewhere; one that was never used is not there yet.
      const isAtItsPath = !isElsewhere && (await isThere(storeFolder));
      return { ...facts, diskFolder: isAtItsPath ? storeFolder : undefined };
    },

    async missing(storePaths) {
      const missing = new Set<string>();
      for (const chunk of chunked(storePaths)) {
        const args = ['--check-validity', '--print-invalid', ...chunk];
        for (const line of lines(await run('nix-store', args))) missing.add(line);
      }
      return missing;
    },

    add,

    async keep(folder, groups) {
      const members = [...groups].map(
        ([name, storePaths]) => `${nixString(name)} = ${listFile(storePaths)};`,
      );
      const lists: Record<string, string> = JSON.parse(
        await evaluate(`{ ${members.join('\n')} }`, '--read-write-mode'),
      );
      for (const [name, list] of Object.entries(lists)) {
        const root = `${folder}/${name}`;
        await run('nix-store', ['--realise', list, '--add-root', root, '--indirect']);
      }
    },

    nixpkgs: (offline) => findNixpkgs(run, { packaged: packagedNixpkgs, offline }),
    build: (...request) => build(run, ...request),
  };
}

/**
 * An expression that copies files into the store, by their SHA-256, and is their paths there.
 * `nix-store --add-fixed` gives the same paths, but hashes each file twice as often, and takes its
 * name from the file.
 */
async function copies(files: readonly FileToAdd[]): Promise<string> {
  const sources = await Promise.all(files.map(({ file }) => behindLinks(file)));
  const items = files.map(({ name }, index) => {
    const source = `/. + ${nixString(sources[index] ?? '')}`;
    return `(builtins.path { path = ${source}; name = ${nixString(name)}; recursive = false; })`;
  });
  return `[ ${items.join('\n')} ]`;
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Nix would add a symbolic link as such. */
async function behindLinks(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(error)}`, {
      hint: 'Run it again; if it stays, something removes that file.',
      cause: error,
    });
  }
}

/** A file in the store that names other paths and so keeps them; one link is enough for a model. */
function listFile(storePaths: readonly string[]): string {
  const parts = storePaths.map((storePath) => `(builtins.storePath ${nixString(storePath)})`);
  const list = `builtins.concatStringsSep "\\n" [ ${parts.join(' ')} ]`;
  return `builtins.toFile "nix-hug-files" (${list})`;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
