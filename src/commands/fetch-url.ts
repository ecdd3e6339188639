import { EXIT, HugError } from '../errors.ts';
import type { TreePin } from '../hub/tree-pin.ts';
import type { RepoType } from '../repo.ts';
import { filtersOf } from '../resolve/filters.ts';
import { listingJson, listingText } from './listing.ts';
import { nixExpression } from './nix-expression.ts';
import { lookUp, type RemoteContext, withHub } from './remote.ts';
import { type RemoteOptions, wantedOf } from './remote-options.ts';
import type { CommandResult } from './result.ts';

/**
 * `nix-hug fetch <url> --dry-run`: the files of a repository, and the Nix expression that fetches
 * them, or why there is none.
 */
export async function run(
  url: string,
  options: RemoteOptions & { readonly dryRun?: boolean },
  context: RemoteContext,
): Promise<CommandResult> {
  if (options.dryRun !== true) {
    throw new HugError('EHUG_USAGE', 'without a lock, fetch needs --dry-run', {
      hint: 'Add --dry-run for the Nix expression, or lock the repository and fetch its entry.',
    });
  }
  const wanted = wantedOf(url, options, context.endpoint);
  return withHub(context, async (hub) => {
    const remote = await lookUp(hub, wanted, context.warn);
    const { type, repo, rev, all, files } = remote;
    const masked = files.some(({ lfs }) => lfs === 'masked');
    if (masked) throw hub.gated(type, repo);
    const pin = await hub.treePin(type, repo, rev);
    const expression =
      'hash' in pin
        ? nixExpression({
            type,
            repo,
            rev,
            filters: filtersOf(wanted.select, all, files),
            fileTreeHash: pin.hash,
            endpoint: hub.endpoint,
          })
        : null;
    const obstacle = 'hash' in pin ? null : obstacleText(pin, type, repo);
    return {
      text: `${listingText(remote)}\n\n${expression ?? obstacle ?? ''}`,
      json: { ...listingJson(remote), expression, obstacle },
      exitStatus: EXIT.ok,
    };
  });
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
