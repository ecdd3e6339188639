import { isUnavailable } from '../hub/errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { RepoStatus } from '../hub/status.ts';
import type { NamedEntry } from '../lock/entries.ts';
import { isSameId } from '../repo.ts';

/** What may be wrong with a locked entry. */
export const FINDING_KINDS = [
  'gone',
  'renamed',
  'replaced',
  'disabled',
  'gated',
  'unreachable',
  'unsafe',
  'policy',
] as const;

/** Something wrong with a locked entry. */
export interface Finding {
  readonly kind: (typeof FINDING_KINDS)[number];
  /** The file that it is about; `null` when it is about the repository. */
  readonly path: string | null;
  /** What is wrong, as a phrase about the entry. */
  readonly message: string;
}

/** What the Hub has to say of an entry. */
export interface EntryAudit {
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
}

/** A level of an issue that is none. */
const SAFE = 'safe';

/** Files that a gated repository gives to everyone. */
const OPEN_FILE = /^(?:README\.md|LICENSE(?:\.md|\.txt)?)$/u;

const RULED_OUT = new Map<string, Finding['kind']>([
  ['EHUG_REPO_NOT_FOUND', 'gone'],
  ['EHUG_REVISION_NOT_FOUND', 'unreachable'],
  ['EHUG_DISABLED', 'disabled'],
  ['EHUG_GATED', 'gated'],
]);

/**
 * Asks the Hub about an entry: one request, and for a gated repository one for the first byte of a file.
 *
 * @throws HugError of the Hub client for an answer that tells nothing of the repository, such as
 *   `EHUG_RATE_LIMIT` and `EHUG_NOT_SERVED`
 */
export async function auditEntry({ type, entry }: NamedEntry, hub: HubApi): Promise<EntryAudit> {
  const { repo, rev, files } = entry;
  try {
    const status = await hub.status(type, repo, rev);
    const refusal = status.isGated
      ? await hub.probe(type, repo, rev, probedFile(files)).then(() => undefined, refusalOf)
      : undefined;
    const { findings, warnings } = judge(entry, status);
    return { findings: [...findings, ...(refusal === undefined ? [] : [refusal])], warnings };
  } catch (error) {
    return { findings: [refusalOf(error)], warnings: [] };
  }
}

/** The finding that a refusal of the Hub is; throws every other error. */
function refusalOf(error: unknown): Finding {
  const kind = isUnavailable(error) ? RULED_OUT.get(error.code) : undefined;
  if (!isUnavailable(error) || kind === undefined) throw error;
  const hint = kind === 'gated' && error.hint !== undefined ? `. ${error.hint}` : '';
  return { kind, path: null, message: `${error.message}${hint}` };
}

/** A small file that only readers of a gated repository get; else any. */
function probedFile(files: NamedEntry['entry']['files']): string {
  const closed = [...files].filter(([path]) => !OPEN_FILE.test(path));
  const [smallest] = closed.toSorted(([, a], [, b]) => a.size - b.size);
  return smallest?.[0] ?? 'README.md';
}

/** What is wrong with a locked entry, by what the Hub says of its commit. */
function judge(
  { repo, repoId, rev, files }: NamedEntry['entry'],
  { id, repoId: nowId, isDisabled, scan }: RepoStatus,
): EntryAudit {
  const isReplaced = repoId !== undefined && nowId !== undefined && repoId !== nowId;
  const levels = new Map((scan?.issues ?? []).map(({ path, level }) => [path, level]));
  const flagged = [...files.keys()].filter(
    (path) => levels.has(path) && levels.get(path)?.toLowerCase() !== SAFE,
  );
  const findings: Finding[] = [
    ...(isSameId(id, repo)
      ? []
      : [{ kind: 'renamed' as const, path: null, message: `${repo} is now ${id}` }]),
    ...(isReplaced
      ? [
          {
            kind: 'replaced' as const,
            path: null,
            message: `another repository has the name ${repo}: the Hub has ${nowId}, the lock ${repoId}`,
          },
        ]
      : []),
    ...(isDisabled
      ? [{ kind: 'disabled' as const, path: null, message: `the Hub has disabled ${repo}` }]
      : []),
    ...flagged.map((path) => ({
      kind: 'unsafe' as const,
      path,
      message: `a scan of the Hub calls it ${levels.get(path) ?? 'unsafe'}`,
    })),
  ];
  return { findings, warnings: scanWarnings(rev, scan) };
}

function scanWarnings(rev: string, scan: RepoStatus['scan']): string[] {
  if (scan === undefined) return ['the endpoint says nothing of scans'];
  return scan.isDone ? [] : [`the Hub has not scanned all files of ${rev} yet`];
}
