import { type RepoFile, snapshotOfEntry } from '../copy/blob.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { escapeControls } from '../quote.ts';
import { DEFAULT_REF, type RepoType } from '../repo.ts';

/** What a lock names, as a Hub has it. */
export interface Catalog {
  /** The repository of an id; of one that the Hub redirects, too. */
  repo(type: RepoType, id: string): ServedRepo | undefined;
  /** Files by the SHA-256 of their content, in hex. */
  readonly contents: ReadonlyMap<string, RepoFile>;
}

/** A repository with the commits that a lock has of it. */
export interface ServedRepo {
  readonly type: RepoType;
  /** The id that the Hub answers with. */
  readonly id: string;
  /** The Hub's own name of the repository. */
  readonly repoId: string | undefined;
  /** Commits by their ids. */
  readonly commits: ReadonlyMap<string, ServedCommit>;
  /** Commits by branch, tag or `refs/pr/N`. */
  readonly refs: ReadonlyMap<string, ServedRef>;
}

/** A commit, and its files that are locked. */
export interface ServedCommit {
  readonly rev: string;
  /** Whether all files of the commit are locked. */
  readonly isWhole: boolean;
  readonly license: readonly string[];
  /** Files by path. */
  readonly files: ReadonlyMap<string, RepoFile>;
  /** Paths of the folders that they are in, each after the one above it. */
  readonly folders: ReadonlySet<string>;
}

/** What a ref points to. */
interface ServedRef {
  readonly rev: string;
  /** Whether it is known to be a tag: a version range chose it. */
  readonly isTag: boolean;
}

/**
 * Arranges entries of a lock as a Hub: by repository, commit and ref. A repository has `main` when that
 * is the locked ref, or when there is one commit of it, as in the caches that Nix builds.
 *
 * @param warn told when entries have one ref at different commits; the first entry counts
 */
export function createCatalog(
  entries: readonly NamedEntry[],
  warn: (line: string) => void,
): Catalog {
  const repos = new Map<string, RepoDraft>();
  const contents = new Map<string, RepoFile>();
  for (const named of entries) {
    const { type, entry } = named;
    const key = keyOf(type, entry.repo);
    const repo = repos.get(key) ?? draftOf(named);
    repos.set(key, repo);
    repo.repoId ??= entry.repoId;
    for (const file of addCommit(repo, named).values()) {
      if (!contents.has(file.digest.hex)) contents.set(file.digest.hex, file);
    }
    addRef(repo, named, warn);
  }
  const byId = new Map<string, ServedRepo>(repos);
  for (const { commits, refs } of repos.values()) {
    const [only, other] = commits.keys();
    const isMain = only !== undefined && other === undefined && !refs.has(DEFAULT_REF);
    if (isMain) refs.set(DEFAULT_REF, { rev: only, isTag: false });
  }
  for (const { type, entry } of entries) {
    const { repo, requested = repo } = entry;
    const target = repos.get(keyOf(type, repo));
    const alias = keyOf(type, requested);
    if (target !== undefined && !byId.has(alias)) byId.set(alias, target);
  }
  return { repo: (type, id) => byId.get(keyOf(type, id)), contents };
}

/** A repository whose entries are being gathered. */
interface RepoDraft extends ServedRepo {
  repoId: string | undefined;
  readonly commits: Map<string, CommitDraft>;
  readonly refs: Map<string, ServedRef>;
  /** The place of the entry that has a ref. */
  readonly placeOfRef: Map<string, string>;
}

interface CommitDraft extends ServedCommit {
  isWhole: boolean;
  readonly files: Map<string, RepoFile>;
  readonly folders: Set<string>;
}

const keyOf = (type: RepoType, id: string): string => `${type} ${id}`;

const draftOf = ({ type, entry }: NamedEntry): RepoDraft => ({
  type,
  id: entry.repo,
  repoId: entry.repoId,
  commits: new Map(),
  refs: new Map(),
  placeOfRef: new Map(),
});

/** Adds the files of an entry to those that others have of its commit. */
function addCommit(repo: RepoDraft, named: NamedEntry): ReadonlyMap<string, RepoFile> {
  const { rev, select, license = [] } = named.entry;
  const commit: CommitDraft = repo.commits.get(rev) ?? {
    rev,
    isWhole: false,
    license,
    files: new Map(),
    folders: new Set(),
  };
  repo.commits.set(rev, commit);
  commit.isWhole ||= select === undefined;
  for (const file of snapshotOfEntry(named, undefined).files) {
    if (commit.files.has(file.path)) continue;
    commit.files.set(file.path, file);
    const { path } = file;
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      commit.folders.add(path.slice(0, end));
    }
  }
  return commit.files;
}

function addRef(repo: RepoDraft, named: NamedEntry, warn: (line: string) => void): void {
  const { ref, rev, version } = named.entry;
  if (ref === rev) return;
  const before = repo.refs.get(ref);
  if (before === undefined || before.rev === rev) {
    const isTag = before?.isTag === true || version !== undefined;
    repo.refs.set(ref, { rev, isTag });
    if (before === undefined) repo.placeOfRef.set(ref, placeOf(named));
    return;
  }
  const [first, second] = [repo.placeOfRef.get(ref) ?? '', placeOf(named)].map(escapeControls);
  warn(
    `${first} and ${second} have ${escapeControls(ref)} of ${repo.id} at different commits; ` +
      `it is served as ${first} has it, and both commits by their ids`,
  );
}
