import type { HubApi } from '../hub/api.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';

const DAY_MS = 86_400_000;

/**
 * The latest date of a commit that is old enough. Age counts up to the last midnight of UTC, so that a
 * lock of the same day is the same.
 *
 * @param minAge in ms
 * @param now in ms since 1970
 * @returns in ms since 1970
 */
export const notAfter = (minAge: number, now: number): number =>
  Math.floor(now / DAY_MS) * DAY_MS - minAge;

/**
 * When a commit will be old enough: a midnight of UTC.
 *
 * @param date of the commit, ISO 8601
 * @param minAge in ms
 * @returns ISO 8601
 */
export const oldEnoughAt = (date: string, minAge: number): string =>
  new Date(Math.ceil((Date.parse(date) + minAge) / DAY_MS) * DAY_MS).toISOString();

/** An entry with the date of its commit, where the policy needs it; else without. */
export async function withDate(
  entry: LockedEntry,
  { type, minAge }: Pick<WantedEntry, 'type' | 'minAge'>,
  hub: HubApi,
): Promise<LockedEntry> {
  if (minAge === undefined) return withoutDate(entry);
  if (entry.date !== undefined) return entry;
  return { ...entry, date: await dateOfCommit(hub, type, entry.repo, entry.rev) };
}

/** The same entry without the date of its commit. */
export function withoutDate(entry: LockedEntry): LockedEntry {
  if (entry.date === undefined) return entry;
  const { date: _date, ...rest } = entry;
  return rest;
}

/**
 * The date of a commit, ISO 8601 in UTC.
 *
 * @throws HugError of the Hub client
 */
export async function dateOfCommit(
  hub: HubApi,
  type: WantedEntry['type'],
  id: string,
  rev: string,
): Promise<string> {
  const { commits } = await hub.history(type, id, rev);
  // `history` has seen that the first one is the commit itself.
  return commits[0]?.date ?? '';
}
