import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LfsStore } from './lfs-store.ts';
import { type RepoOptions, Repository, type RepoType } from './repository.ts';

/** The repositories of a hub, found by id and alias whatever the case. */
export class Repositories {
  readonly #folder: string;
  readonly #lfs: LfsStore;
  readonly #byName = new Map<string, Repository>();
  /** How many repositories each name has had. */
  readonly #made = new Map<string, number>();

  /** @param folder where the git repositories are made, in `models/` and `datasets/` */
  constructor(folder: string, lfs: LfsStore) {
    this.#folder = folder;
    this.#lfs = lfs;
  }

  async create(options: RepoOptions): Promise<Repository> {
    const { type, id, aliases = [] } = options;
    const names = this.#freeNames(type, [id, ...aliases]);
    const made = (this.#made.get(nameOf(type, id)) ?? 0) + 1;
    this.#made.set(nameOf(type, id), made);
    const gitDir = join(this.#folder, `${type}s`, `${id}.${made}.git`);
    const repo = await Repository.create(options, gitDir, this.#lfs, made);
    for (const name of names) this.#byName.set(name, repo);
    return repo;
  }

  /** Gives a repository another id; the names it had lead to it still. */
  rename(repo: Repository, id: string): void {
    for (const name of this.#freeNames(repo.type, [id])) this.#byName.set(name, repo);
    repo.id = id;
  }

  /** Removes a repository with all its names. */
  async delete(repo: Repository): Promise<void> {
    for (const [name, found] of this.#byName) if (found === repo) this.#byName.delete(name);
    await rm(repo.gitDir, { recursive: true });
  }

  find(type: RepoType, id: string): Repository | undefined {
    return this.#byName.get(nameOf(type, id));
  }

  #freeNames(type: RepoType, ids: readonly string[]): string[] {
    const names = ids.map((id) => nameOf(type, id));
    // A name that only redirects can be taken.
    const taken = names.find((name) => {
      const repo = this.#byName.get(name);
      return repo !== undefined && nameOf(repo.type, repo.id) === name;
    });
    if (taken !== undefined) throw new Error(`The hub already has a ${taken}`);
    return names;
  }
}

const nameOf = (type: RepoType, id: string): string => `${type} ${id.toLowerCase()}`;
