import { HugError } from '../errors.ts';

import type { History, HubApi } from '../hub/api.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import { satisfies } from './drift.ts';
import { explainMissing, renameWarnings } from './explain-missing.ts';
import {
  lockAt,
  lockedEntry,
  type Resolved,
  type ResolveContext,
  type Target,
  targetOf,
} from './resolve.ts';

/** An entry at its newest commit. */
export interface Moved extends Resolved {
  /** When the commits were made, ISO 8601; `undefined` where that is unknown. */
  readonly dates: Dates;
}

interface Dates {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** What the Hub tells of the way between two commits. */
interface Step {
  readonly dates: Dates;
  /** What happened to the locked commit that the user should know of. */
  readonly warnings: readonly string[];
}

/**
 * Moves an entry to the newest commit that the manifest allows. At the commit that is locked this
 * costs the look-up of the commit alone, and gives the locked entry itself.
 *
 * @param locked what the lock has; stale or missing entries are resolved anew
 * @throws HugError those of `resolveEntry`
 */
export async function moveEntry(
  wanted: ManifestEntry,
  locked: LockedEntry | undefined,
  context: ResolveContext,
): Promise<Moved> {
  const { hub, report } = context;
  report('resolving');
  if (locked === undefined || !satisfies(locked, wanted)) {
    const target = await targetOf(wanted, hub);
    const [resolved, history] = await both(
      lockAt(wanted, target, context),
      ifTold(historyAt(hub, wanted, target)),
    );
    return { ...resolved, dates: { to: dateOf(history, target.at.rev) } };
  }
  const target = await targetOf(wanted, hub).catch((error: unknown) => {
    throw explainMissing(error, wanted, locked);
  });
  const renamed = renameWarnings(locked, target.at.id);
  if (target.at.rev === locked.rev) {
    report('at its newest commit');
    const isSame = target.ref === locked.ref && renamed.length === 0;
    const entry = isSame ? locked : lockedEntry(wanted, target, locked.files);
    return { entry, warnings: renamed, dates: {} };
  }
  const [resolved, step] = await both(
    lockAt(wanted, target, context),
    stepTo(wanted, locked, target, hub),
  );
  return {
    entry: resolved.entry,
    warnings: [...renamed, ...step.warnings, ...resolved.warnings],
    dates: step.dates,
  };
}

/** Most often the locked commit is near the new one in its history, and one request tells all. */
async function stepTo(
  wanted: ManifestEntry,
  locked: LockedEntry,
  target: Target,
  hub: HubApi,
): Promise<Step> {
  const { type } = wanted;
  const { id, rev } = target.at;
  const [history, isTag] = await Promise.all([
    ifTold(historyAt(hub, wanted, target)),
    namesTag(wanted, target, hub),
  ]);
  const to = dateOf(history, rev);
  const tagMoved =
    isTag && target.ref === locked.ref ? [`the tag ${target.ref} names another commit now`] : [];
  const from = dateOf(history, locked.rev);
  if (from !== undefined) return { dates: { from, to }, warnings: tagMoved };

  const before = await hub.history(type, id, locked.rev).catch(lostOrUntold);
  if (before === 'lost') {
    const lost = `the locked commit ${locked.rev} is gone from the Hub: its history was rewritten`;
    return { dates: { to }, warnings: [...tagMoved, lost] };
  }
  const isRewritten = !isTag && history?.isWhole === true;
  return {
    dates: { from: dateOf(before, locked.rev), to },
    warnings: isRewritten
      ? [`the history of ${target.ref} was rewritten, without the locked commit ${locked.rev}`]
      : tagMoved,
  };
}

const historyAt = (hub: HubApi, { type }: ManifestEntry, { at }: Target): Promise<History> =>
  hub.history(type, at.id, at.rev);

const dateOf = (history: History | undefined, rev: string): string | undefined =>
  history?.commits.find((commit) => commit.rev === rev)?.date;

/** Whether the ref of a target is a tag; every repository has the branch `main`. */
async function namesTag(
  { type, want }: ManifestEntry,
  { ref, at }: Target,
  hub: HubApi,
): Promise<boolean> {
  if ('version' in want || ref.startsWith('refs/tags/')) return true;
  if (ref === 'main' || ref.startsWith('refs/')) return false;
  const tags = await ifTold(hub.tags(type, at.id));
  return tags?.includes(ref) === true;
}

/** Waits for both to end before one of them may fail, so that no question stays open. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** Dates and warnings are worth a request, but no failure: not every mirror knows them. */
function ifTold<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof HugError) return undefined;
    throw error;
  });
}

function lostOrUntold(error: unknown): 'lost' | undefined {
  if (!(error instanceof HugError)) throw error;
  return error.code === 'EHUG_REVISION_NOT_FOUND' ? 'lost' : undefined;
}
