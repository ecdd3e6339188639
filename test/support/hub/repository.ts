import { createHash } from 'node:crypto';
import { type FileContent, LfsContent } from './content.ts';
import * as git from './git.ts';
import { blobId, type LfsObject, type LfsStore } from './lfs-store.ts';

export type RepoType = 'model' | 'dataset';

/** Metadata of a model or dataset card. */
export interface CardData {
  readonly license?: string | readonly string[];
  readonly [field: string]: unknown;
}

/** What `hub.createRepo` takes. */
export interface RepoOptions {
  readonly type: RepoType;
  /** `org/name`, or a single canonical name. */
  readonly id: string;
  /** Whether access has to be asked for, and how it is granted; default false. */
  readonly gated?: false | 'auto' | 'manual';
  readonly private?: boolean;
  readonly disabled?: boolean;
  /** Other ids that are redirected to this repository; other spellings in case always are. */
  readonly aliases?: readonly string[];
  /** Metadata of the card; absent from answers when not given. */
  readonly cardData?: CardData;
}

/** What `repo.commit` takes. */
export interface CommitOptions {
  /** Branch that moves to the commit, made when it does not exist; default `main`. */
  readonly branch?: string;
  /** Commit to build on instead of the branch's tip; `null` for a first commit. */
  readonly parent?: string | null;
  readonly message?: string;
  /** When it was made; default a minute after the one before. */
  readonly date?: Date;
  /** Content per path; null deletes. Paths that are not named stay as they are. */
  readonly files:
    | Iterable<readonly [path: string, content: FileContent | null, mode?: git.Mode]>
    | Readonly<Record<string, FileContent | null>>;
}

export interface Commit {
  /** 40 hex digits. */
  readonly id: string;
  readonly parent: Commit | undefined;
  /** First line of the message. */
  readonly title: string;
  /** The message without its first line. */
  readonly message: string;
  readonly date: Date;
}

/** A file, folder or submodule of a commit. */
export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'commit';
  /** Git id of the blob or tree; for an LFS file that of the pointer. */
  readonly oid: string;
  /** Length of the content in bytes, LFS or not; 0 for a folder or submodule. */
  readonly size: number;
  readonly path: string;
  /** Present for an LFS file. */
  readonly lfs?: LfsObject;
}

/** Every file and folder of a commit by path. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** A branch, tag, pull request or conversion. */
export interface Ref {
  /** Full name, `refs/…`. */
  readonly name: string;
  /** Object the ref names: the commit, or the tag object of an annotated tag. */
  readonly target: string;
  readonly commit: Commit;
}

/** Shortest abbreviation of a commit id that git takes. */
const SHORTEST_ABBREVIATION = 4;
const SECONDS_BETWEEN_COMMITS = 60;

/** A repository of the hub, kept in a bare git repository. */
export class Repository {
  readonly type: RepoType;
  /** Changed by `hub.renameRepo`, which leaves a redirect behind. */
  id: string;
  /** A test may change it while the hub runs, as `private`. */
  gated: false | 'auto' | 'manual';
  private: boolean;
  disabled: boolean;
  /** What the scanners of the hub say of its files. */
  scan: { scansDone: boolean; filesWithIssues: readonly unknown[] } = {
    scansDone: true,
    filesWithIssues: [],
  };
  readonly cardData: CardData | undefined;
  /** Folder of the bare git repository. */
  readonly gitDir: string;
  /** The hub's own name for the repository, 24 hex digits. */
  readonly internalId: string;
  readonly #lfs: LfsStore;
  readonly #commits = new Map<string, Commit>();
  /** Number of commits ever made. */
  #made = 0;
  readonly #refs = new Map<string, Ref>();
  readonly #trees = new Map<string, Promise<Tree>>();
  /** A copy of every blob by its id, so that serving a file starts no process. */
  readonly #blobs = new Map<string, Buffer>();
  readonly #lfsObjects = new Set<LfsObject>();

  private constructor(options: RepoOptions, gitDir: string, lfs: LfsStore, made: number) {
    this.type = options.type;
    this.id = options.id;
    this.gated = options.gated ?? false;
    this.private = options.private ?? false;
    this.disabled = options.disabled ?? false;
    this.cardData = options.cardData;
    this.gitDir = gitDir;
    const name = `${options.type} ${options.id}${made === 1 ? '' : ` ${made}`}`;
    this.internalId = createHash('sha1').update(name).digest('hex').slice(0, 24);
    this.#lfs = lfs;
  }

  /** @param made how many repositories have had the name, with this one */
  static async create(
    options: RepoOptions,
    gitDir: string,
    lfs: LfsStore,
    made: number,
  ): Promise<Repository> {
    await git.initBare(gitDir);
    return new Repository(options, gitDir, lfs, made);
  }

  /** Makes a commit and returns its id. Equal histories have equal ids. */
  async commit(options: CommitOptions): Promise<string> {
    const { files, message: text = `Commit ${this.#made}` } = options;
    const ref = `refs/heads/${options.branch ?? 'main'}`;
    const parent =
      options.parent === undefined
        ? this.#refs.get(ref)?.commit
        : options.parent === null
          ? undefined
          : this.#known(options.parent);
    const changes: git.Change[] = [];
    for (const [path, content, ...mode] of Symbol.iterator in files
      ? files
      : Object.entries(files)) {
      changes.push([path, content === null ? null : await this.#blobOf(content), ...mode]);
    }
    const time = options.date === undefined ? this.#now() : options.date.getTime() / 1000;
    const id = await git.fastImportCommit(this.gitDir, {
      ref,
      parent: parent?.id,
      message: text,
      time,
      changes,
    });
    const [title = '', ...rest] = text.split('\n');
    const date = new Date(time * 1000);
    const commit = { id, parent, title, message: rest.join('\n'), date };
    this.#commits.set(id, commit);
    this.#made += 1;
    this.#refs.set(ref, { name: ref, target: id, commit });
    return id;
  }

  /**
   * Makes or moves a tag of the commit `id`, a full one; an annotated one is an object of its own that
   * names the commit.
   */
  async tag(name: string, id: string, options: { annotated?: boolean } = {}): Promise<void> {
    const ref = `refs/tags/${name}`;
    if (options.annotated !== true) return await this.#point(ref, id);
    const commit = this.#known(id);
    const target = await git.annotatedTag(this.gitDir, name, id, this.#now());
    this.#refs.set(ref, { name: ref, target, commit });
  }

  /** Makes or moves a branch. */
  async branch(name: string, id: string): Promise<void> {
    await this.#point(`refs/heads/${name}`, id);
  }

  /** Makes or moves the head of a pull request. */
  async pullRequest(number: number, id: string): Promise<void> {
    await this.#point(`refs/pr/${number}`, id);
  }

  /** Makes or moves a conversion, such as `parquet` of a dataset. */
  async convert(name: string, id: string): Promise<void> {
    await this.#point(`refs/convert/${name}`, id);
  }

  /** Removes a branch. */
  async deleteBranch(name: string): Promise<void> {
    const ref = `refs/heads/${name}`;
    await git.deleteRef(this.gitDir, ref);
    this.#refs.delete(ref);
  }

  /** Forgets the commits that no ref reaches any more, as the hub does some time after a forced push. */
  async prune(): Promise<void> {
    const reached = new Set<string>();
    for (const { commit } of this.#refs.values()) {
      for (let at: Commit | undefined = commit; at !== undefined; at = at.parent)
        reached.add(at.id);
    }
    for (const id of this.#commits.keys()) {
      if (!reached.has(id)) this.#commits.delete(id);
    }
    await git.prune(this.gitDir);
  }

  /** Every ref, sorted by name. */
  refs(): Ref[] {
    return [...this.#refs.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The commit of a branch, tag, full ref name, commit id or unambiguous abbreviation of one. */
  resolve(revision: string): Commit | undefined {
    for (const ref of [`refs/heads/${revision}`, `refs/tags/${revision}`, revision]) {
      const found = this.#refs.get(ref);
      if (found !== undefined) return found.commit;
    }
    if (revision.length < SHORTEST_ABBREVIATION) return undefined;
    const matches = [...this.#commits.values()].filter(({ id }) => id.startsWith(revision));
    return matches.length === 1 ? matches[0] : undefined;
  }

  /** The files and folders of a commit. */
  tree(commit: Commit): Promise<Tree> {
    let tree = this.#trees.get(commit.id);
    if (tree === undefined) {
      tree = this.#readTree(commit);
      this.#trees.set(commit.id, tree);
    }
    return tree;
  }

  /** What git holds for a file: its content, or the pointer of an LFS file. */
  blob(entry: TreeEntry): Uint8Array {
    const blob = this.#blobs.get(entry.oid);
    if (blob === undefined) throw new Error(`${this.id} holds no blob ${entry.oid}`);
    return blob;
  }

  /** Bytes of every LFS object of the whole history. */
  get usedStorage(): number {
    return [...this.#lfsObjects].reduce((sum, { content }) => sum + content.size, 0);
  }

  async #blobOf(content: FileContent): Promise<Buffer> {
    const blob = Buffer.from(
      content instanceof LfsContent ? await this.#pointerOf(content) : content,
    );
    this.#blobs.set(blobId(blob), blob);
    return blob;
  }

  async #pointerOf(content: LfsContent): Promise<string> {
    const object = await this.#lfs.add(content);
    this.#lfsObjects.add(object);
    return object.pointer;
  }

  async #point(ref: string, id: string): Promise<void> {
    const commit = this.#known(id);
    await git.updateRef(this.gitDir, ref, id);
    this.#refs.set(ref, { name: ref, target: id, commit });
  }

  async #readTree(commit: Commit): Promise<Tree> {
    const entries = await git.listTree(this.gitDir, commit.id);
    return new Map(entries.map((entry) => [entry.path, this.#treeEntry(entry)]));
  }

  #treeEntry({ type, oid, size, path }: git.GitTreeEntry): TreeEntry {
    if (type === 'tree') return { type: 'directory', oid, size, path };
    if (type === 'commit') return { type, oid, size, path };
    const lfs = this.#lfs.ofPointer(oid);
    if (lfs === undefined) return { type: 'file', oid, size, path };
    return { type: 'file', oid, size: lfs.content.size, path, lfs };
  }

  #known(id: string): Commit {
    const commit = this.#commits.get(id);
    if (commit === undefined) throw new Error(`${this.id} has no commit ${id}`);
    return commit;
  }

  /** Seconds since 1970 of the next commit or tag; equal in every run. */
  #now(): number {
    return git.FIRST_COMMIT_TIME + this.#made * SECONDS_BETWEEN_COMMITS;
  }
}
