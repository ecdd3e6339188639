import type { HubApi } from '../hub/api.ts';
import type { TreePin } from '../hub/tree.ts';
import { nixString } from '../quote.ts';
import { DEFAULT_ENDPOINT, type RepoType } from '../repo.ts';
import { type Filters, filtersOf } from '../resolve/select.ts';
import type { RepoRequest } from './arguments.ts';
import { type RepoListing, listRepo } from './repository.ts';

/** A model or dataset that one call of the Nix library pins. */
interface Pinned {
  readonly type: RepoType;
  /** Repository id. */
  readonly repo: string;
  /** Commit, 40 hex digits. */
  readonly rev: string;
  readonly filters: Filters | undefined;
  /** SHA-256 of the Hub's answer about the tree, in SRI form. */
  readonly fileTreeHash: string;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
}

const FUNCTIONS: Readonly<Record<RepoType, string>> = {
  model: 'fetchModel',
  dataset: 'fetchDataset',
};
const WIDTH = 100;

/** The call of `fetchModel` or `fetchDataset`, ready to paste. */
function nixExpression({ type, repo, rev, filters, fileTreeHash, endpoint }: Pinned): string {
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

/** On one line where it fits, else one line for each string. */
function nixFilters(filters: Filters): string {
  const lists = Object.entries(filters).map(
    ([key, values]) => [key, values.map(nixString)] as const,
  );
  const line = `{ ${lists.map(([key, values]) => `${key} = [ ${values.join(' ')} ];`).join(' ')} }`;
  if (line.length <= WIDTH) return line;
  const blocks = lists.map(
    ([key, values]) =>
      `    ${key} = [\n${values.map((value) => `      ${value}\n`).join('')}    ];\n`,
  );
  return `{\n${blocks.join('')}  }`;
}

/** A repository, and the Nix expression that pins it or why there is none. */
export interface PinnedRepo {
  readonly remote: RepoListing;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
  readonly expression: string | null;
  readonly obstacle: string | null;
}

/**
 * Looks a repository up, with all that its expression needs.
 *
 * @throws HugError those of `listRepo`; `EHUG_GATED` when the digests are masked
 */
export async function pinRepo(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<PinnedRepo> {
  const remote = await listRepo(hub, wanted, warn);
  const { type, repo, rev, all, files } = remote;
  if (files.some(({ lfs }) => lfs === 'masked')) throw hub.gated(type, repo);
  const pin = await hub.treePin(type, repo, rev);
  const { endpoint } = hub;
  if ('obstacle' in pin) {
    return { remote, endpoint, expression: null, obstacle: obstacleText(pin, type, repo) };
  }
  const filters = filtersOf(wanted.select, all, files);
  const expression = nixExpression({ type, repo, rev, filters, fileTreeHash: pin.hash, endpoint });
  return { remote, endpoint, expression, obstacle: null };
}

/** Why no expression of one hash can name the repository, and what can. */
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
  return `No fetch${type === 'dataset' ? 'Dataset' : 'Model'} expression for ${type} ${repo}: ${why}.\nLock it instead: nix-hug add ${form}`;
}
