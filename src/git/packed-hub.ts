import { setImmediate } from 'node:timers/promises';
import { isGitId } from '../digest.ts';
import type { FileContent, HubApi } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import type { RepoType } from '../repo.ts';
import { packLimit, type Packs } from './packs.ts';

/** What a pack told of a file. */
type Packed = Pick<FileContent, 'hash'> & Partial<FileContent>;

/**
 * A Hub that hashes the plain files of a commit by its pack where that is cheaper. The files that are
 * asked for at once are gathered.
 *
 * @param hub remembers trees; asked for the files that no pack gives
 * @param packs closed with the Hub
 */
export function withPacks(hub: HubApi, packs: Packs): HubApi {
  const keyOf = (type: RepoType, id: string, rev: string) => `${type} ${id} ${rev}`;
  /** Refs that pointed to a commit. */
  const refs = new Map<string, string>();
  const gathering = new Map<string, ReturnType<typeof gather>>();

  function gather(type: RepoType, id: string, rev: string) {
    const key = keyOf(type, id, rev);
    const files: TreeFile[] = [];
    /** Git blob ids of the files whose content is asked for, too. */
    const kept = new Set<string>();
    async function readAll(): Promise<ReadonlyMap<string, Packed>> {
      await setImmediate();
      gathering.delete(key);
      const packed = new Map<string, Packed>();
      // Few files need no list of all, which may not have been asked for yet.
      if (packLimit(files) === undefined) return packed;
      const commit = { type, id, rev, ref: refs.get(key) ?? rev };
      await packs.read(commit, files, await hub.tree(type, id, rev), ({ oid }, bytes, hash) => {
        packed.set(oid, kept.has(oid) ? { hash, bytes } : { hash });
      });
      return packed;
    }
    const group = { files, kept, packed: readAll() };
    gathering.set(key, group);
    return group;
  }

  return {
    ...hub,
    async revision(type, id, ref) {
      const at = await hub.revision(type, id, ref);
      if (!isGitId(ref)) refs.set(keyOf(type, at.id, at.rev), ref);
      return at;
    },
    async hashOf(type, id, rev, file) {
      const { files, packed } = gathering.get(keyOf(type, id, rev)) ?? gather(type, id, rev);
      files.push(file);
      return (await packed).get(file.oid)?.hash ?? hub.hashOf(type, id, rev, file);
    },
    async contentOf(type, id, rev, file) {
      const { files, kept, packed } = gathering.get(keyOf(type, id, rev)) ?? gather(type, id, rev);
      files.push(file);
      kept.add(file.oid);
      const { hash, bytes } = (await packed).get(file.oid) ?? {};
      if (hash === undefined || bytes === undefined) return hub.contentOf(type, id, rev, file);
      return { hash, bytes };
    },
    async close() {
      await packs.close();
      await hub.close();
    },
  };
}
