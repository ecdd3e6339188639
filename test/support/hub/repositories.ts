import { join } from 'node:path';
import type { LfsStore } from './lfs-store.ts';
import { type RepoOptions, Repository, type RepoType } from './repository.ts';

/** The repositories of a hub, found by id and alias whatever the case. */
export class Repositories {
  readonly #folder: string;
  readonly #lfs: LfsStore;
  readonly #byName = new Map<string, Repository>();

  /** @param folder where the git repositories are made, in `models/` and `datasets/` */
  constructor(folder: string, lfs: LfsStore) {
    this.#folder = folder;
    this.#lfs = lfs;
  }

  async create(options: RepoOptions): Promise<Repository> {
    const { type, id, aliases = [] } = options;
    const names = [id, ...aliases].map((name) => nameOf(type, name));
    const taken = names.find((name) => this.#byName.has(name));
    if (taken !== undefined) throw new Error(`The hub already has a ${taken}`);
    const gitDir = join(this.#folder, `${type}s`, `${id}.git`);
    const repo = await Repository.create(options, gitDir, this.#lfs);
    for (const name of names) this.#byName.set(name, repo);
    return repo;
  }

  find(type: RepoType, id: string): Repository | undefined {
    return this.#byName.get(nameOf(type, id));
  }
}

const nameOf = (type: RepoType, id: string): string => `${type} ${id.toLowerCase()}`;
