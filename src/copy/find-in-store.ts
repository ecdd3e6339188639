import { HugError } from '../errors.ts';
import { isGitId } from '../digest.ts';
import { storePathOf } from '../store/store-path.ts';
import type { CommandContext } from '../project/context.ts';
import { openStore } from '../project/store.ts';
import type { ExportedContent, ExportedFile } from './exported.ts';

/** What looking into the Nix store needs from outside. */
export type StoreContext = Pick<CommandContext, 'openNix' | 'warn'>;

/** Tells where the Nix store has a content. */
export type FindInStore = (content: ExportedContent) => Promise<string | undefined>;

/** The store without Nix, or with one that fails: it has nothing. */
const NOTHING: ReadonlyMap<ExportedContent, string> = new Map();

/**
 * Looks for contents in the Nix store, for all of them when the first is asked for. Nix is not
 * needed: without it, nothing is there.
 */
export function createFindInStore(
  contents: readonly ExportedContent[],
  context: StoreContext,
): FindInStore {
  let found: Promise<ReadonlyMap<ExportedContent, string>> | undefined;
  return async (content) => (await (found ??= findAll(contents, context))).get(content);
}

async function findAll(
  contents: readonly ExportedContent[],
  context: StoreContext,
): Promise<ReadonlyMap<ExportedContent, string>> {
  try {
    const { nix, storeFolder } = await openStore(context);
    const candidates = contents.map((content) => ({
      content,
      storePaths: new Set(content.places.flatMap(({ file }) => storePathsOf(file, storeFolder))),
    }));
    const all = new Set(candidates.flatMap(({ storePaths }) => [...storePaths]));
    const missing = await nix.missing([...all]);
    return new Map(
      candidates.flatMap(({ content, storePaths }) => {
        const there = [...storePaths].find((storePath) => !missing.has(storePath));
        return there === undefined ? [] : [[content, there] as const];
      }),
    );
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code !== 'EHUG_NIX_MISSING') {
      context.warn(`the Nix store is not looked into: ${error.message}`);
    }
    return NOTHING;
  }
}

/** A store path is known by the SHA-256 alone. */
function storePathsOf({ path, digest, storeName }: ExportedFile, storeFolder: string): string[] {
  if (isGitId(digest)) return [];
  const name = storeName ?? path.slice(path.lastIndexOf('/') + 1);
  return [storePathOf(storeFolder, { name, hash: digest })];
}
