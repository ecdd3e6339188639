import * as v from 'valibot';
import { isGitId } from '../digest.ts';
import type { Http } from './http.ts';
import { nextPage } from './tree.ts';
import type { Subject } from './errors.ts';
import { checkedReply, invalidReply } from './errors.ts';

/** The newest commits of a revision. */
export interface History {
  /** Newest first; the revision itself is the first. */
  readonly commits: readonly DatedCommit[];
  /** Whether these are all commits that lead to the revision. */
  readonly isWhole: boolean;
}

interface DatedCommit {
  /** 40 hex digits. */
  readonly rev: string;
  /** When it was made, ISO 8601. */
  readonly date: string;
}

const pageSchema = v.array(
  v.object({
    id: v.pipe(v.string(), v.check(isGitId, 'is not a git id')),
    date: v.pipe(v.string(), v.isoTimestamp()),
  }),
);

/**
 * Reads the first page of a history.
 *
 * @param subject with the commit that it leads to
 * @throws HugError `EHUG_PROTOCOL` when it leads to another one
 */
export async function readHistory(http: Http, url: string, subject: Subject): Promise<History> {
  const { body, headers } = await http.json(url, subject);
  const commits = checkedReply(pageSchema, body, subject);
  if (commits[0]?.id !== subject.ref)
    throw invalidReply(subject, 'its history is that of another commit');
  return {
    commits: commits.map(({ id, date }) => ({ rev: id, date })),
    isWhole: nextPage(headers['link'], url) === undefined,
  };
}
