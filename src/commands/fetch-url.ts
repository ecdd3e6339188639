import path from 'node:path';
import { EXIT } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { TreePin } from '../hub/tree-pin.ts';
import { sriOfHex } from '../integrity.ts';
import type { LockedFile } from '../lock/schema.ts';
import { nixString } from '../nix-string.ts';
import type { RepoType } from '../repo.ts';
import { filtersOf } from '../resolve/filters.ts';
import { lockedFile } from '../resolve/resolve.ts';
import type { Nix } from '../store/nix.ts';
import { lackingContents, placeFiles } from '../store/plan.ts';
import { type BringContext, bringContents } from './bring.ts';
import { listingJson, listingText } from './listing.ts';
import { nixExpression } from './nix-expression.ts';
import type { Output } from './output-schema.ts';
import { lookUp, type Remote, type RemoteContext, withHub } from './remote.ts';
import { type RemoteOptions, type Wanted, wantedOf } from './remote-options.ts';
import type { CommandResult } from './result.ts';

export interface FetchUrlOptions extends RemoteOptions {
  /** Only list the files and print the expression. */
  readonly dryRun?: boolean;
  /** Folder for a link that keeps what is built from the garbage collector. */
  readonly gcRoot?: string;
}

/** What `fetch <url>` needs from outside. */
export interface FetchUrlContext extends RemoteContext, BringContext {
  readonly cwd: string;
  readonly openNix: () => Promise<Nix>;
  /** Folder of the Nix library that belongs to this nix-hug. */
  readonly nixLibrary: string;
}

/** A repository, and the Nix expression that pins it or why there is none. */
interface Inspected {
  readonly remote: Remote;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
  readonly expression: string | null;
  readonly obstacle: string | null;
}

/**
 * `nix-hug fetch <url>`: brings the weights of a repository into the Nix store, builds the model
 * there, and prints the Nix expression that does the same.
 */
export async function run(
  url: string,
  options: FetchUrlOptions,
  context: FetchUrlContext,
): Promise<CommandResult> {
  const wanted = wantedOf(url, options, context.endpoint);
  const inspected = await withHub(context, (hub) => inspect(hub, wanted, context));
  const { remote, expression, obstacle } = inspected;
  const facts: Output<'fetch-url-dry-run'> = { ...listingJson(remote), expression, obstacle };
  if (options.dryRun === true) {
    const text = `${listingText(remote)}\n\n${expression ?? obstacle ?? ''}`;
    return { text, json: facts, exitStatus: EXIT.ok };
  }
  const nix = await context.openNix();
  await bringWeights(remote, nix, context);
  const { storePath, missing } = await assemble(inspected, nix, options, context);
  return {
    text: [storePath ?? missing ?? obstacle ?? '', expression ?? ''].join('\n\n').trimEnd(),
    json: { ...facts, obstacle: obstacle ?? missing, storePath } satisfies Output<'fetch-url'>,
    exitStatus: EXIT.ok,
  };
}

async function inspect(hub: HubApi, wanted: Wanted, { warn }: FetchUrlContext): Promise<Inspected> {
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

/**
 * Brings the LFS files to where `fetchModel` and a lock expect them. Plain files come with the git
 * commit that `fetchModel` fetches.
 */
async function bringWeights(remote: Remote, nix: Nix, context: FetchUrlContext): Promise<void> {
  const { type, repo, rev } = remote;
  const weights = remote.files.flatMap((file): [string, LockedFile][] =>
    typeof file.lfs === 'object' ? [[file.path, lockedFile(file, sriOfHex(file.lfs.sha256))]] : [],
  );
  const entry = { repo, ref: rev, rev, files: new Map(weights) };
  const { storeFolder } = await nix.facts();
  const files = placeFiles([{ type, name: repo, entry }], storeFolder);
  const missing = await nix.missing([...new Set(files.map(({ storePath }) => storePath))]);
  const target = { nix, storeFolder };
  await bringContents(lackingContents(files, missing), undefined, target, context);
}

/** Builds the model from its expression. */
async function assemble(
  { remote, endpoint, expression }: Inspected,
  nix: Nix,
  { gcRoot }: FetchUrlOptions,
  { cwd, nixLibrary, offline }: FetchUrlContext,
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
    gcRoot === undefined ? undefined : path.resolve(cwd, gcRoot, path.basename(remote.repo));
  const storePath = await nix.build(
    `let nix-hug-lib = ${library}; in ${expression}`,
    nixpkgs.options,
    outLink,
  );
  return { storePath, missing: null };
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
