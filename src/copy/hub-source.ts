import { digestOfSri, isGitId } from '../digest.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import { groupBy, type NonEmpty } from '../collections.ts';
import { resolveUrl } from '../hub/api.ts';
import { encodePath, type RepoType } from '../repo.ts';
import type { ReportContent } from './circuit-breaker.ts';
import type { Download, Downloads } from '../download/downloads.ts';

/** Downloads from one Hub. */
interface HubDownloads extends Downloads {
  /** Address of the Hub. */
  readonly endpoint: string;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Opens connections to a Hub; the caller closes them. */
export type OpenDownloads = (endpoint: string | undefined) => Promise<HubDownloads>;

/** A file of a commit. */
export interface HubFile {
  /** Address of its Hub that a manifest names. */
  readonly endpoint: string | undefined;
  readonly type: RepoType;
  /** Id the Hub answers with. */
  readonly repo: string;
  /** What the commit was locked as, for messages. */
  readonly ref: string;
  readonly rev: string;
  /** Path in the repository. */
  readonly path: string;
  /** The path percent-encoded, where that is another. */
  readonly url?: string | undefined;
  /** Length of the content in bytes. */
  readonly size: number;
  /** SHA-256 of the content in SRI form, or its git blob id. */
  readonly hash: string;
}

/** The Hub as a source of contents. */
export interface HubSource {
  /**
   * Downloads a content.
   *
   * @param files that have it, each of which is asked for when those before it are refused for good;
   *   of a commit the first alone
   * @throws HugError that for an absent file without a network, and those of `Downloads`; where every
   *   file is refused, that of the first
   */
  fetch(files: NonEmpty<HubFile>, report: ReportContent): Promise<Download>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Errors of one repository or file; another that has the content may give it. */
const REFUSED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_GATED',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_FILE_NOT_FOUND',
  'EHUG_DISABLED',
  'EHUG_FORBIDDEN',
  'EHUG_INTEGRITY',
]);

/**
 * Makes a source that connects to a Hub when its first file is needed.
 *
 * @param open `undefined` when there is no network
 * @param absent the error for a file then
 */
export function createHubSource(
  open: OpenDownloads | undefined,
  absent: (file: HubFile) => HugError,
): HubSource {
  const opened = new Map<string | undefined, Promise<HubDownloads>>();

  async function fetchFile(file: HubFile, report: ReportContent): Promise<Download> {
    if (open === undefined) throw absent(file);
    const { endpoint, type, repo, ref, rev, path, size, hash } = file;
    const opening = opened.get(endpoint) ?? open(endpoint);
    opened.set(endpoint, opening);
    const downloads = await opening;
    const name = file.url ?? encodePath(path);
    const url = resolveUrl(downloads.endpoint, type, repo, rev, name);
    const subject = { type, id: repo, ref, path };
    const digest = isGitId(hash) ? ({ kind: 'git-blob', hex: hash } as const) : digestOfSri(hash);
    return downloads.fetch({ url, subject, size, digest }, (bytes) => report('downloading', bytes));
  }

  return {
    async fetch(files, report) {
      let refusal: unknown;
      for (const [file] of groupBy(files, commitOf).values()) {
        try {
          return await fetchFile(file, report);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          refusal ??= error;
        }
      }
      throw refusal;
    },
    async close() {
      for (const opening of opened.values()) {
        // Who needed it was told why it could not be opened.
        const downloads = await opening.catch(() => undefined);
        await downloads?.close();
      }
    },
  };
}

const commitOf = ({ endpoint = '', type, repo, rev }: HubFile): string =>
  `${endpoint} ${type} ${repo} ${rev}`;

const isRefusal = (error: unknown): boolean => error instanceof HugError && REFUSED.has(error.code);
