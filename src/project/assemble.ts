import { repoFolderName } from '../cache/layout.ts';
import { sriOfHex } from '../digest.ts';
import { EXIT } from '../errors.ts';
import type { NamedEntry } from '../lock/entries.ts';
import type { Output } from '../output/json-schema.ts';
import { listingJson } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import { nixString } from '../quote.ts';
import { lockedFile } from '../resolve/resolve.ts';
import type { Nix } from '../store/nix.ts';
import type { CommandContext } from './context.ts';
import type { PinnedRepo } from './nix-expression.ts';
import type { RepoListing } from './repository.ts';
import path from 'node:path';

/**
 * The LFS files of a repository, as a lock would have them; `fetchModel` expects them at the same
 * store paths. Plain files come with the git commit that `fetchModel` fetches.
 *
 * @param alias another id that the Hugging Face cache may know the repository by
 */
export function weightsOf({ type, repo, rev, files }: RepoListing, alias: string): NamedEntry {
  const weights = files.flatMap((file) =>
    typeof file.lfs === 'object'
      ? [[file.path, lockedFile(file, sriOfHex(file.lfs.sha256))] as const]
      : [],
  );
  const id = alias === repo ? { repo } : { repo, requested: alias };
  return { type, name: repo, entry: { ...id, ref: rev, rev, files: new Map(weights) } };
}

/** What assembling needs from outside. */
export type AssembleContext = Pick<CommandContext, 'cwd' | 'offline' | 'nixLibrary'>;

/**
 * Builds a model whose weights are in the store, and tells where it is and the expression for it.
 *
 * @param gcRoot folder for a link that keeps the model from the garbage collector
 * @throws HugError those of `Nix`
 */
export async function assemble(
  inspected: PinnedRepo,
  nix: Nix,
  gcRoot: string | undefined,
  context: AssembleContext,
): Promise<CommandResult<Output<'fetch-url'>>> {
  const { remote, expression, obstacle } = inspected;
  const { storePath, missing } = await build(inspected, nix, gcRoot, context);
  return {
    text: [storePath ?? missing ?? obstacle ?? '', expression ?? ''].join('\n\n').trimEnd(),
    json: { ...listingJson(remote), expression, obstacle: obstacle ?? missing, storePath },
    exitStatus: EXIT.ok,
  };
}

/**
 * Name of the link that keeps a repository from the garbage collector, one for each: that of its
 * folder in the Hugging Face cache. Another commit of it takes the place of the one before.
 */
export const rootLinkName = ({ type, repo }: Pick<RepoListing, 'type' | 'repo'>): string =>
  repoFolderName(type, repo);

/** Builds the model from its expression, where it has one. */
async function build(
  { remote, endpoint, expression }: PinnedRepo,
  nix: Nix,
  gcRoot: string | undefined,
  { cwd, offline, nixLibrary }: AssembleContext,
): Promise<{ storePath: string | null; missing: string | null }> {
  if (expression === null) return { storePath: null, missing: null };
  const nixpkgs = await nix.nixpkgs(offline);
  if (nixpkgs === undefined) {
    return {
      storePath: null,
      missing:
        'The weights are in the Nix store. Nix found no nixpkgs to assemble the model with:\n' +
        'set NIX_PATH=nixpkgs=…, or add nixpkgs to the flake registry, and run it again.',
    };
  }
  const settings = `{ pkgs = ${nixpkgs.expression}; endpoint = ${nixString(endpoint)}; }`;
  const library = `import (/. + ${nixString(nixLibrary)}) ${settings}`;
  const outLink =
    gcRoot === undefined ? undefined : path.resolve(cwd, gcRoot, rootLinkName(remote));
  const storePath = await nix.build(
    `let nix-hug-lib = ${library}; in ${expression}`,
    nixpkgs.options,
    outLink,
  );
  return { storePath, missing: null };
}
