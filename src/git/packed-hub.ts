import { setImmediate } from 'node:timers/promises';
import { isGitId } from '../digest.ts';
import type { HubApi } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import type { RepoType } from '../repo.ts';
import type { Packs } from './packs.ts';

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
    async function hashAll(): Promise<ReadonlyMap<string, string>> {
      await setImmediate();
      gathering.delete(key);
      const hashes = new Map<string, string>();
      const commit = { type, id, rev, ref: refs.get(key) ?? rev };
      await packs.read(commit, files, await hub.tree(type, id, rev), ({ oid }, _content, hash) => {
        hashes.set(oid, hash);
      });
      return hashes;
    }
    const group = { files, hashes: hashAll() };
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
      const { files, hashes } = gathering.get(keyOf(type, id, rev)) ?? gather(type, id, rev);
      files.push(file);
      return (await hashes).get(file.oid) ?? hub.hashOf(type, id, rev, file);
    },
    async close() {
      await packs.close();
      await hub.close();
    },
  };
}
