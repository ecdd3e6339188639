import * as v from 'valibot';
import { isRepoId, type RepoType } from '../repo.ts';
import { checkedReply } from './errors.ts';
import type { Http } from './http.ts';

/** What a Hub says of a repository and of the scans of its files, at one commit. */
export interface RepoStatus {
  /** Id that the Hub answers with, after its redirects. */
  readonly id: string;
  /** The Hub's own name of the repository; some mirrors send none. */
  readonly repoId?: string;
  /** Whether users have to ask for access. */
  readonly isGated: boolean;
  readonly isDisabled: boolean;
  /** `undefined` when the Hub says nothing of scans, as a mirror. */
  readonly scan: Scan | undefined;
}

/** What the scanners of a Hub say of the files of a commit. */
interface Scan {
  /** Whether all files have been scanned. */
  readonly isDone: boolean;
  /** Files with an issue; the level is a word of the Hub, such as `unsafe`. */
  readonly issues: readonly { readonly path: string; readonly level?: string | undefined }[];
}

/** An element is a path, or an object with one: no recording shows which. */
const issueSchema = v.union([
  v.pipe(
    v.string(),
    v.transform((path) => ({ path })),
  ),
  v.pipe(
    v.object({ path: v.string(), level: v.exactOptional(v.nullable(v.string())) }),
    v.transform(({ path, level }) => ({ path, level: level ?? undefined })),
  ),
]);

const statusSchema = v.object({
  id: v.pipe(v.string(), v.check(isRepoId, 'is not a repository id')),
  _id: v.exactOptional(v.unknown()),
  // `false`, `"auto"` or `"manual"`.
  gated: v.exactOptional(v.unknown()),
  disabled: v.exactOptional(v.unknown()),
  securityRepoStatus: v.nullish(
    v.object({ scansDone: v.boolean(), filesWithIssues: v.array(issueSchema) }),
  ),
});

/** An ObjectId of MongoDB. */
const REPO_ID = /^[0-9a-f]{24}$/u;

/** Largest response, in bytes: it names every file, as that about a revision. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Asks a Hub about a repository at a commit, in one request.
 *
 * @param api address of the repository under `/api/`
 * @throws HugError of `Http`: `EHUG_REPO_NOT_FOUND`, `EHUG_REVISION_NOT_FOUND`, `EHUG_GATED`,
 *   `EHUG_DISABLED` and others; `EHUG_PROTOCOL`
 */
export async function readStatus(
  http: Http,
  api: string,
  subject: { readonly type: RepoType; readonly id: string; readonly ref: string },
): Promise<RepoStatus> {
  const url = `${api}/revision/${subject.ref}?securityStatus=true`;
  const { body } = await http.json(url, subject, MAX_BYTES);
  const reply = checkedReply(statusSchema, body, subject);
  const { id, _id: repoId, gated, disabled, securityRepoStatus: scan } = reply;
  return {
    id,
    ...(typeof repoId === 'string' && REPO_ID.test(repoId) ? { repoId } : {}),
    isGated: gated !== undefined && gated !== null && gated !== false,
    isDisabled: disabled === true,
    scan:
      scan === undefined || scan === null
        ? undefined
        : { isDone: scan.scansDone, issues: scan.filesWithIssues },
  };
}
