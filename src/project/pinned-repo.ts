import path from 'node:path';
import { repoFolderName } from '../cache/layout.ts';
import { filesOfTree, idsOf, type Snapshot } from '../copy/blob.ts';
import { EXIT } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { TreePin } from '../hub/tree.ts';
import type { Selection } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { listingJson } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import { nixString } from '../quote.ts';
import { type RepoType } from '../repo.ts';
import { DEFAULT_ENDPOINT } from '../address.ts';
import { type Filters, filtersOf } from '../resolve/select.ts';
import type { Nix } from '../store/nix.ts';
import type { RepoRequest } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { listRepo, type RepoListing } from './repository.ts';

/** A repository without a lock, and the Nix expression that pins it or why there is none. */
export interface PinnedRepo {
  readonly listing: RepoListing;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
  readonly expression: string | null;
  readonly obstacle: string | null;
}

/**
 * Asks the Hub for a repository and everything that its expression needs.
 *
 * @throws HugError those of `listRepo`; `EHUG_GATED` when the digests are masked
 */
export async function pinRepo(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<PinnedRepo> {
  const listing = await listRepo(hub, wanted, warn);
  const { type, repo, rev, files } = listing;
  if (files.some(({ lfs }) => lfs === 'masked')) throw hub.gated(type, repo);
  const pin = await hub.treePin(type, repo, rev);
  const { endpoint } = hub;
  if ('obstacle' in pin) {
    return { listing, endpoint, expression: null, obstacle: obstacleText(pin, type, repo) };
  }
  const expression = nixExpression(listing, wanted.select, pin.hash, endpoint);
  return { listing, endpoint, expression, obstacle: null };
}

/** Why `fetchModel` cannot pin the repository, and what can. */
function obstacleText(
  { obstacle }: Extract<TreePin, { obstacle: string }>,
  type: RepoType,
  repo: string,
): string {
  const why = {
    pages: 'the Hub lists its files on several pages, and fileTreeHash pins one page',
    closed: 'it is gated or private, and Nix lists files without your token',
  }[obstacle];
  const form = type === 'dataset' ? `datasets/${repo}` : repo;
  return `No ${FUNCTIONS[type]} expression for ${type} ${repo}: ${why}.\nLock it instead: nix-hug add ${form}`;
}

const FUNCTIONS: Readonly<Record<RepoType, string>> = {
  model: 'fetchModel',
  dataset: 'fetchDataset',
};

/**
 * The call of `fetchModel` or `fetchDataset`, ready to paste.
 *
 * @param fileTreeHash SHA-256 of the Hub's answer about the tree, in SRI form
 */
function nixExpression(
  { type, repo, rev, all, files }: RepoListing,
  select: Selection | undefined,
  fileTreeHash: string,
  endpoint: string,
): string {
  const filters = filtersOf(select, all, files);
  return [
    ...(endpoint === DEFAULT_ENDPOINT
      ? []
      : [`# nix-hug-lib imported with endpoint = ${nixString(endpoint)}`]),
    `nix-hug-lib.${FUNCTIONS[type]} {`,
    `  url = ${nixString(repo)};`,
    `  rev = ${nixString(rev)};`,
    ...(filters === undefined ? [] : [`  filters = ${nixFilters(filters)};`]),
    `  fileTreeHash = ${nixString(fileTreeHash)};`,
    '}',
  ].join('\n');
}

/** Columns of one line of the expression. */
const MAX_WIDTH = 100;

/** On one line where it fits, else one line for each string. */
function nixFilters(filters: Filters): string {
  const lists = Object.entries(filters).map(
    ([key, values]) => [key, values.map(nixString)] as const,
  );
  const line = `{ ${lists.map(([key, values]) => `${key} = [ ${values.join(' ')} ];`).join(' ')} }`;
  if (line.length <= MAX_WIDTH) return line;
  const blocks = lists.map(
    ([key, values]) =>
      `    ${key} = [\n${values.map((value) => `      ${value}\n`).join('')}    ];\n`,
  );
  return `{\n${blocks.join('')}  }`;
}

/**
 * The LFS files of a repository: `fetchModel` expects them at the store paths that a lock gives them.
 * Plain files come with the git commit that `fetchModel` fetches.
 *
 * @param alias another id that the Hugging Face cache may have the repository under
 * @param endpoint address that the manifest names
 */
export function weightsOf(
  { type, repo, rev, files }: RepoListing,
  alias: string,
  endpoint?: string,
): Snapshot {
  return {
    title: `${type} ${repo}`,
    name: null,
    type,
    endpoint,
    repo,
    ids: idsOf(repo, alias),
    ref: rev,
    rev,
    files: filesOfTree(files).filter(({ isLfs }) => isLfs),
  };
}

/**
 * Builds a repository whose weights are in the store, and tells its store path and expression.
 *
 * @param gcRoot folder for a link that keeps it from the garbage collector. The link has the name of
 *   the repository's folder in the Hugging Face cache, so another commit replaces it.
 * @throws HugError those of `Nix`
 */
export async function buildPinned(
  { listing, endpoint, expression, obstacle }: PinnedRepo,
  nix: Nix,
  gcRoot: string | undefined,
  { cwd, offline, nixLibrary }: CommandContext,
): Promise<CommandResult<Output<'fetch-url'>>> {
  const resultOf = (storePath: string | null, reason: string | null) => ({
    text: [storePath ?? reason ?? '', expression ?? ''].join('\n\n').trimEnd(),
    json: { ...listingJson(listing), expression, obstacle: reason, storePath },
    next: storePath === null ? undefined : 'paste the expression into your Nix code',
    exitStatus: EXIT.ok,
  });
  if (expression === null) return resultOf(null, obstacle);
  const nixpkgs = await nix.nixpkgs(offline);
  if (nixpkgs === undefined) return resultOf(null, NO_NIXPKGS);
  const settings = `{ pkgs = ${nixpkgs.expression}; endpoint = ${nixString(endpoint)}; }`;
  const library = `import (/. + ${nixString(nixLibrary)}) ${settings}`;
  const storePath = await nix.build(
    `let nix-hug-lib = ${library}; in ${expression}`,
    nixpkgs.options,
    gcRoot === undefined
      ? undefined
      : path.resolve(cwd, gcRoot, repoFolderName(listing.type, listing.repo)),
  );
  return resultOf(storePath, null);
}

const NO_NIXPKGS =
  'The weights are in the Nix store. Nix found no nixpkgs to assemble the model with:\n' +
  'set NIX_PATH=nixpkgs=…, or add nixpkgs to the flake registry, and run it again.';
