import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { HugError, messageOf } from '../errors.ts';
import { nixString } from '../quote.ts';
import { chunked, createRunTool, READS_ANY_FILE, type ToolWorld } from './nix-tool.ts';

/** A file to add to the store. */
export interface FileToAdd {
  /** Path of the content. */
  readonly file: string;
  /** Name in the store. */
  readonly name: string;
  /** The store path it must get, see `storePathOf`. */
  readonly storePath: string;
}

/** How Nix is used. */
export interface NixOptions extends ToolWorld {
  /** Path of the nixpkgs that the packaged nix-hug was built with. */
  readonly packagedNixpkgs?: string | undefined;
  /**
   * Where the files of the store are: default at their own paths; `null` on another machine or behind
   * a socket.
   */
  readonly diskFolder?: string | undefined | null;
}

/** The Nix in use, and its store. All methods throw the errors of `createRunTool`. */
export type Nix = Awaited<ReturnType<typeof createNix>>;

/** A nixpkgs: the expression of its package set, and the options of Nix that this needs. */
interface Nixpkgs {
  readonly expression: string;
  readonly options: readonly string[];
}

/** The nixpkgs of the flake registry. */
const REGISTRY: Nixpkgs = {
  expression: '(builtins.getFlake "nixpkgs").legacyPackages.${builtins.currentSystem}',
  options: ['--option', 'extra-experimental-features', 'nix-command flakes'],
};

/**
 * Asks the command line of Nix for its version and its store.
 *
 * @throws HugError `EHUG_NIX_MISSING`, and others of `createRunTool`
 */
export async function createNix(options: NixOptions) {
  const { packagedNixpkgs, diskFolder: named, ...world } = options;
  const run = createRunTool(world);

  /** The value of an expression as JSON. */
  const evaluate = (expression: string, ...more: readonly string[]): Promise<string> =>
    run(
      'nix-instantiate',
      ['--eval', '--strict', '--json', ...READS_ANY_FILE, ...more, '-'],
      expression,
    );

  const facts: {
    readonly version: string;
    /** `/nix/store`, or another folder where this Nix has its store. */
    readonly storeFolder: string;
  } = JSON.parse(
    await evaluate('{ storeFolder = builtins.storeDir; version = builtins.nixVersion; }'),
  );
  // A setting can put the store elsewhere, too; the folder of a store without a path is missing.
  const disk = named === undefined ? facts.storeFolder : named;
  const diskFolder = disk !== null && existsSync(disk) ? disk : undefined;

  return {
    ...facts,

    /** Where the files of the store are; `undefined` when only Nix can tell. */
    diskFolder,

    /** Where the file of a store path can be read. */
    fileOf: (storePath: string): string =>
      (diskFolder ?? facts.storeFolder) + storePath.slice(facts.storeFolder.length),

    /** Those of the store paths that are not in the store. */
    async missing(storePaths: Iterable<string>): Promise<ReadonlySet<string>> {
      const missing = new Set<string>();
      for (const chunk of chunked(storePaths)) {
        const args = ['--check-validity', '--print-invalid', ...chunk];
        for (const line of (await run('nix-store', args)).split('\n')) missing.add(line);
      }
      missing.delete('');
      return missing;
    },

    /**
     * Adds files by their SHA-256.
     *
     * @throws HugError `EHUG_INTEGRITY` when a file does not get its store path: that file is not in
     *   the store then, others of the same call may be
     */
    async add(files: readonly FileToAdd[]): Promise<void> {
      const added: string[] = JSON.parse(await evaluate(await copies(files), '--read-write-mode'));
      const wrong = files.flatMap(({ storePath, file }, index) =>
        added[index] === storePath ? [] : [{ file, stray: added[index] }],
      );
      const [first] = wrong;
      if (first === undefined) return;
      for (const { stray } of wrong) {
        // A path that something else refers to cannot be deleted, and is no stray.
        if (stray !== undefined) await run('nix-store', ['--delete', stray]).catch(() => undefined);
      }
      const what = `${first.file} changed while it was added to the store`;
      throw new HugError('EHUG_INTEGRITY', what, {
        hint: 'Run it again; if it happens again, something writes to that file.',
      });
    },

    /**
     * Keeps store paths from the garbage collector, by one link for each group.
     *
     * @param folder where the links go
     * @param groups store paths by the name of their link; a link of an earlier call is replaced
     */
    async addGcRoots(
      folder: string,
      groups: ReadonlyMap<string, readonly string[]>,
    ): Promise<void> {
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

    /**
     * Finds a nixpkgs: the one that the packaged nix-hug was built with, else `<nixpkgs>`, else that
     * of the flake registry, which Nix may have to download.
     *
     * @param offline leaves the registry out
     * @returns `undefined` when Nix finds none
     */
    async nixpkgs(offline: boolean): Promise<Nixpkgs | undefined> {
      const packaged =
        packagedNixpkgs === undefined ? [] : [`(/. + ${nixString(packagedNixpkgs)})`];
      const candidates = [...packaged, '<nixpkgs>'].map((path): Nixpkgs => ({
        expression: `import ${path} { }`,
        options: [],
      }));
      for (const candidate of offline ? candidates : [...candidates, REGISTRY]) {
        const probe = `builtins.isString (${candidate.expression}).bash.name`;
        const args = ['--eval', ...READS_ANY_FILE, ...candidate.options, '--expr', probe];
        const answer = await run('nix-instantiate', args).catch(() => undefined);
        if (answer !== undefined) return candidate;
      }
      return undefined;
    },

    /**
     * Builds an expression and returns its store path.
     *
     * @param outLink link that keeps the result from the garbage collector
     */
    async build(
      expression: string,
      more: readonly string[],
      outLink: string | undefined,
    ): Promise<string> {
      const link = outLink === undefined ? ['--no-out-link'] : ['--out-link', outLink];
      const args = [...READS_ANY_FILE, ...more, ...link, '--expr', expression];
      return (await run('nix-build', args)).trim();
    },
  };
}

/**
 * An expression that copies files into the store by their SHA-256, and evaluates to their store
 * paths. `nix-store --add-fixed` gives the same paths, but hashes each file once more, and takes the
 * name from the file.
 */
async function copies(files: readonly FileToAdd[]): Promise<string> {
  const items = await Promise.all(
    files.map(async ({ file, name }) => {
      const source = `/. + ${nixString(await behindLinks(file))}`;
      return `(builtins.path { path = ${source}; name = ${nixString(name)}; recursive = false; })`;
    }),
  );
  return `[ ${items.join('\n')} ]`;
}

/** Nix would add a symbolic link as such. */
async function behindLinks(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(error)}`, {
      hint: 'Run it again; if it happens again, something removes that file.',
      cause: error,
    });
  }
}

/** A file in the store that refers to other paths, so that one link keeps a whole model. */
function listFile(storePaths: readonly string[]): string {
  const parts = storePaths.map((storePath) => `(builtins.storePath ${nixString(storePath)})`);
  const list = `builtins.concatStringsSep "\\n" [ ${parts.join(' ')} ]`;
  return `builtins.toFile "nix-hug-files" (${list})`;
}
