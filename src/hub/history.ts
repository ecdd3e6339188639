import * as v from 'valibot';
import { isGitId } from '../digest.ts';
import { HugError } from '../errors.ts';
import { invalidReply, checkedReply, type Subject } from './errors.ts';
import type { Http } from './http.ts';
import { atEndpoint, nextPage } from './tree.ts';

/** A commit and its date, ISO 8601 in UTC, which whoever made it chose. */
export interface DatedCommit {
  readonly rev: string;
  readonly date: string;
}

/** The newest commits of a revision. */
export interface History {
  /** Newest first, beginning with the revision itself. */
  readonly commits: readonly DatedCommit[];
  /** Address of the commits before; `undefined` after the first commit of all. */
  readonly next: string | undefined;
}

const historySchema = v.array(
  v.object({
    id: v.pipe(v.string(), v.check(isGitId, 'is not a git id')),
    date: v.pipe(
      v.string(),
      v.isoTimestamp(),
      v.transform((date) => new Date(date).toISOString()),
    ),
  }),
);

/** Largest page, in bytes; 100 commits have under 100 kB. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** As the official JavaScript client requests. */
const COMMITS_PER_PAGE = 100;

/** Most pages that a search reads. */
const MAX_PAGES = 100;

/**
 * Asks for the first page of the history of a commit.
 *
 * @param api address of the repository under `/api/`
 * @throws HugError of `Http`; `EHUG_PROTOCOL` when it is the history of another commit
 */
export async function readHistory(
  http: Http,
  api: string,
  subject: Subject & { readonly ref: string },
): Promise<History> {
  const page = await readPage(
    http,
    `${api}/commits/${subject.ref}?limit=${COMMITS_PER_PAGE}`,
    subject,
  );
  if (page.commits[0]?.rev !== subject.ref) {
    throw invalidReply(subject, 'the history belongs to another commit');
  }
  return page;
}

/**
 * Searches the history of a commit for the first one that is as old as a date, or older.
 *
 * @param latest ISO 8601 in UTC
 * @returns `undefined` when no commit is
 * @throws HugError those of `readHistory`; `EHUG_PROTOCOL` for a history of more than 10,000 commits
 */
export async function searchHistory(
  http: Http,
  api: string,
  subject: Subject & { readonly ref: string },
  latest: string,
): Promise<DatedCommit | undefined> {
  const limit = Date.parse(latest);
  let page = await readHistory(http, api, subject);
  for (let read = 1; ; read += 1) {
    const found = page.commits.find(({ date }) => Date.parse(date) <= limit);
    if (found !== undefined || page.next === undefined) return found;
    if (read === MAX_PAGES) {
      throw new HugError(
        'EHUG_PROTOCOL',
        `${subject.type} ${subject.id} has more than ${MAX_PAGES * COMMITS_PER_PAGE} commits, and none of them was made before ${latest}`,
        { hint: 'Name a commit or a tag in ref.' },
      );
    }
    page = await readPage(http, page.next, subject);
  }
}

async function readPage(http: Http, url: string, subject: Subject): Promise<History> {
  const { body, headers } = await http.json(url, subject, MAX_PAGE_BYTES);
  const next = nextPage(headers['link'], url);
  return {
    commits: checkedReply(historySchema, body, subject).map(({ id, date }) => ({ rev: id, date })),
    next: next === undefined ? undefined : atEndpoint(next, http.endpoint),
  };
}
