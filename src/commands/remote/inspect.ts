import type { HubApi } from '../../hub/api.ts';
import type { TreePin } from '../../hub/tree-pin.ts';
import type { RepoType } from '../../repo.ts';
import { filtersOf } from '../../resolve/filters.ts';
import { nixExpression } from './nix-expression.ts';
import type { Wanted } from './remote-options.ts';
import { lookUp, type Remote } from './remote.ts';

/** A repository, and the Nix expression that pins it or why there is none. */
export interface Inspected {
  readonly remote: Remote;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
  readonly expression: string | null;
  readonly obstacle: string | null;
}

/**
 * Looks a repository up, with all that its expression needs.
 *
 * @throws HugError those of `lookUp`; `EHUG_GATED` when the digests are masked
 */
export async function inspect(
  hub: HubApi,
  wanted: Wanted,
  warn: (line: string) => void,
): Promise<Inspected> {
  const remote = await lookUp(hub, wanted, warn);
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
