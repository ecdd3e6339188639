import type { RepoWriter } from '../cache/write/write.ts';
import { HugError } from '../errors.ts';
import { type HubContext, withHub } from '../project/repository.ts';
import type { Exported } from './exported.ts';

/**
 * Has the ref that was asked for name the exported commit. A lock may be older than what the user
 * has: a ref that names another commit of the cache moves only when the Hub says that the exported
 * one is the newest.
 */
export async function exportRef(
  exported: Exported,
  writer: RepoWriter,
  context: HubContext,
): Promise<void> {
  const { title, ref, rev, isNewest } = exported;
  const other = await writer.putRef(ref, rev, isNewest);
  if (other === undefined) return;
  if (await isNewestAtHub(exported, context)) {
    await writer.putRef(ref, rev, true);
    return;
  }
  context.warn(
    `${title}: ${ref} of ${writer.id} stays at ${other}, which the cache has and which may be newer; ` +
      `what was exported loads by its commit, ${rev}`,
  );
}

/** A Hub that cannot be asked leaves it open. */
async function isNewestAtHub(
  { endpoint, type, repo, ref, rev }: Exported,
  context: HubContext,
): Promise<boolean> {
  try {
    const newest = await withHub(context, (hub) => hub.revision(type, repo, ref), endpoint);
    return newest.rev === rev;
  } catch (error) {
    if (error instanceof HugError) return false;
    throw error;
  }
}
