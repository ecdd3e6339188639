import { hexOfSri } from '../digest.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import type { TreeFile } from '../hub/tree.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { withDate } from './age.ts';
import { createEdgeSources, edgeFilesToRead, readEdges } from './edge-sources.ts';
import { hasId } from './identity.ts';
import { doWithout, rootOf, wayTo } from './needed.ts';
import type { Needed } from './plan-needed.ts';
import { lockAt, lockedEntry, type Resolved, type ResolveContext } from './resolve.ts';
import { type Kept, onlyDocsChanged } from './significance.ts';
import { isSameTaken, needsOf, selectionFor, takenBy } from './take.ts';
import { lockedTarget, renameWarnings, type Target, targetAtCommit, targetOf } from './target.ts';

/** Errors that are about the repository, not about the connection. */
const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_FILE_NOT_FOUND',
  'EHUG_DISABLED',
  'EHUG_GATED',
  'EHUG_FORBIDDEN',
  'EHUG_SELECTION',
]);

/**
 * Resolves what entries need: at the commit of an entry of the manifest that has the same repository
 * and ref, at the locked one, else at the newest.
 *
 * @param start commit at which it begins when it is not locked
 * @throws HugError of the Hub client; `EHUG_DEPENDENCY`, `EHUG_REPO_REPLACED`
 */
export async function resolveNeeded(
  needed: Needed,
  context: ResolveContext,
  start?: string,
): Promise<Resolved> {
  const { type, locked, isMoving, taken, sameRef } = needed;
  context.report('resolving');
  try {
    const known = sameRef.find((entry) => hasId(entry, needed)) ?? (isMoving ? undefined : locked);
    const found = await (known === undefined
      ? lookUp(needed, context, locked === undefined ? start : undefined)
      : lockedTarget(known));
    // The Hub may have redirected to the repository of an entry.
    const twin = sameRef.find(({ repo }) => repo === found.at.id);
    const target = twin === undefined ? found : lockedTarget(twin);
    const warnings = locked === undefined ? [] : renameWarnings(locked, target.at);
    const isSame = (select: LockedEntry['select']) =>
      select?.code === needed.code && isSameTaken(takenBy(select), taken);
    if (locked?.rev === target.at.rev && isSame(locked.select)) {
      context.report('at its newest commit');
      const entry =
        warnings.length === 0
          ? locked
          : lockedEntry(selecting(needed, locked.select), target, locked);
      return { entry: await withDate(entry, needed, context.hub), warnings };
    }
    const tree = await context.hub.tree(type, target.at.id, target.at.rev);
    const resolved = await lockAt(selecting(needed, selectionFor(taken, tree)), target, context);
    return { ...resolved, warnings: [...warnings, ...resolved.warnings] };
  } catch (error) {
    throw explained(error, needed);
  }
}

/**
 * The locked entry, where only documentation changed since and the Hub still has its commit; else what
 * was resolved.
 */
export async function keepNeeded(
  { type, name, locked, isMoving, sameRef }: Needed,
  resolved: Resolved,
  hub: ResolveContext['hub'],
): Promise<{ readonly resolved: Resolved; readonly kept?: Kept }> {
  const newest = resolved.entry;
  if (locked === undefined || !isMoving || locked.rev === newest.rev) return { resolved };
  // One that the manifest has at the same ref has decided.
  if (sameRef.some(({ repo }) => repo === newest.repo)) return { resolved };
  if (!onlyDocsChanged(type, locked, newest)) return { resolved };
  try {
    await hub.revision(type, locked.repo, locked.rev);
  } catch (error) {
    if (error instanceof HugError && error.code === 'EHUG_REVISION_NOT_FOUND') return { resolved };
    throw error;
  }
  return { resolved: { ...resolved, entry: locked }, kept: { type, name, locked, newest } };
}

/** The commit at which it begins, else the newest one. */
const lookUp = (needed: Needed, context: ResolveContext, start?: string): Promise<Target> =>
  start === undefined
    ? targetOf(needed, context, needed.locked)
    : targetAtCommit(needed, { ref: needed.want.ref, rev: start }, context);

const selecting = (
  { name, type, repo, want, code, minAge }: WantedEntry,
  select: WantedEntry['select'],
): WantedEntry => ({
  name,
  type,
  repo,
  want,
  ...(select === undefined ? {} : { select }),
  ...(code === undefined ? {} : { code }),
  ...(minAge === undefined ? {} : { minAge }),
});

/** The error with the file that names the repository, and the way to it. */
function explained(error: unknown, { reached, key }: Needed): unknown {
  if (!(error instanceof HugError)) return error;
  const { from, by, via } = reached;
  const root = rootOf(reached);
  if (error.code === 'EHUG_REPO_REPLACED') {
    const hint = `If you trust its owner, accept it with: nix-hug update ${placeOf(root)} --accept-repository`;
    return new HugError(error.code, error.message, { hint, cause: error });
  }
  if (!UNAVAILABLE.has(error.code)) return error;
  const where = key === undefined ? by : `${key} in ${by}`;
  return new HugError('EHUG_DEPENDENCY', `${error.message}; ${placeOf(from)} needs it (${where})`, {
    details: [...error.details, ...(via === undefined ? [] : [wayTo(reached)])],
    hint: [error.hint?.replace(/[^.]$/u, '$&.'), doWithout(root)]
      .filter((hint) => hint !== undefined)
      .join(' '),
    cause: error,
  });
}

/**
 * Reads what the files of a locked entry name, at its commit.
 *
 * @returns the entry with its needs; all else stays as it is
 * @throws HugError of the Hub client
 */
export async function readNeeds(
  { type, entry }: Pick<NamedEntry, 'type' | 'entry'>,
  { hub, edgeSources = createEdgeSources([]) }: Pick<ResolveContext, 'hub' | 'edgeSources'>,
): Promise<Resolved> {
  if (type !== 'model') return { entry, edges: [], warnings: [] };
  const { repo, requested = repo, rev } = entry;
  const files = [...entry.files].map(([path, { oid, size, hash, lfs }]): TreeFile => ({
    path,
    oid,
    size,
    ...(lfs === true ? { lfs: { sha256: hexOfSri(hash) } } : {}),
  }));
  const naming = edgeFilesToRead(files, repo, edgeSources);
  const { edges, warnings } = await readEdges(
    naming.files,
    [repo, requested],
    edgeSources,
    (file) => hub.contentOf(type, repo, rev, file),
  );
  const { needs: _before, ...rest } = entry;
  return {
    entry: { ...rest, ...needsOf(edges) },
    edges,
    warnings: [...naming.warnings, ...warnings],
  };
}
