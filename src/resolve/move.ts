import { HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { History } from '../hub/history.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { satisfies } from './drift.ts';
import { type Resolved, type ResolveContext, lockAt, lockedEntry } from './resolve.ts';
import { type Target, namesTag, renameWarnings, targetOf } from './target.ts';

/** An entry at its newest commit. */
export interface Moved extends Resolved {
  /** Dates of the commits, ISO 8601; `undefined` where the Hub sent none. */
  readonly dates: Dates;
  /** Whether the Hub has lost the locked commit, or its branch has. */
  readonly isLost?: boolean;
}

interface Dates {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * Moves an entry to the newest commit that the manifest allows. If that is the locked commit, this
 * costs only its look-up, and returns the locked entry itself.
 *
 * @param locked the entry in the lock; a stale or missing one is resolved from the manifest alone
 * @throws HugError those of `resolveEntry`
 */
export async function moveEntry(
  wanted: WantedEntry,
  locked: LockedEntry | undefined,
  context: ResolveContext,
): Promise<Moved> {
  const { hub, report } = context;
  report('resolving');
  if (locked === undefined || !satisfies(locked, wanted)) {
    const target = await targetOf(wanted, context);
    const [resolved, history] = await both(
      lockAt(wanted, target, context),
      orUndefined(historyAt(hub, wanted, target)),
    );
    return { ...resolved, dates: { to: dateOf(history, target.at.rev) } };
  }
  const target = await targetOf(wanted, context, locked);
  const renamed = renameWarnings(locked, target.at);
  if (target.at.rev === locked.rev && isComplete(locked, target)) {
    report('at its newest commit');
    const isSame = target.ref === locked.ref && renamed.length === 0;
    const entry = isSame ? locked : lockedEntry(wanted, target, locked);
    return { entry, warnings: renamed, dates: {} };
  }
  if (target.at.rev === locked.rev) {
    const { entry, warnings } = await lockAt(wanted, target, context);
    return { entry, warnings: [...renamed, ...warnings], dates: {} };
  }
  const [resolved, step] = await both(
    lockAt(wanted, target, context),
    describeStep(wanted, locked, target, hub),
  );
  return {
    entry: resolved.entry,
    warnings: [...renamed, ...step.warnings, ...resolved.warnings],
    dates: step.dates,
    isLost: step.isLost,
  };
}

/** Whether the lock knows of the repository what the Hub now tells of it. */
const isComplete = ({ repoId }: LockedEntry, { at }: Target): boolean =>
  repoId !== undefined || at.repoId === undefined;

/**
 * Dates of the locked and the new commit, and a warning for a moved tag or a rewritten history.
 * Usually the history of the new commit has both, in one request.
 */
async function describeStep(
  wanted: WantedEntry,
  locked: LockedEntry,
  target: Target,
  hub: HubApi,
): Promise<{
  readonly dates: Dates;
  readonly warnings: readonly string[];
  readonly isLost: boolean;
}> {
  const { id, rev } = target.at;
  const [history, isTag] = await Promise.all([
    orUndefined(hub.history(wanted.type, id, tipOf(target))),
    orUndefined(namesTag(wanted, target, hub)),
  ]);
  const to = dateOf(history, rev) ?? target.date;
  const tagMoved =
    isTag === true && target.ref === locked.ref
      ? [`the tag ${target.ref} names another commit now`]
      : [];
  const from = dateOf(history, locked.rev);
  if (from !== undefined) return { dates: { from, to }, warnings: tagMoved, isLost: false };

  const before = await hub.history(wanted.type, id, locked.rev).catch(lostOrUndefined);
  if (before === 'lost') {
    const lost = `the locked commit ${locked.rev} is gone from the Hub: its history was rewritten`;
    return { dates: { to }, warnings: [...tagMoved, lost], isLost: true };
  }
  const isRewritten = isTag !== true && history !== undefined && history.next === undefined;
  return {
    dates: { from: dateOf(before, locked.rev), to },
    warnings: isRewritten
      ? [`the history of ${target.ref} was rewritten, without the locked commit ${locked.rev}`]
      : tagMoved,
    isLost: isRewritten,
  };
}

/** The newest commit of a ref, which `minimumAge` may not have taken. */
const tipOf = ({ ref, at, waiting }: Target): string =>
  waiting?.ref === ref ? waiting.rev : at.rev;

const historyAt = (hub: HubApi, { type }: WantedEntry, { at }: Target): Promise<History> =>
  hub.history(type, at.id, at.rev);

const dateOf = (history: History | undefined, rev: string): string | undefined =>
  history?.commits.find((commit) => commit.rev === rev)?.date;

/** Waits for both to end before it throws, so that no request stays open. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** The result; `undefined` after an error: not every mirror serves what dates and warnings need. */
function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  return result.catch((error: unknown) => {
    if (error instanceof HugError) return undefined;
    throw error;
  });
}

function lostOrUndefined(error: unknown): 'lost' | undefined {
  if (!(error instanceof HugError)) throw error;
  return error.code === 'EHUG_REVISION_NOT_FOUND' ? 'lost' : undefined;
}
