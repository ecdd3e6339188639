import type { RepoWriter } from '../cache/write.ts';
import { HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { Exported } from './export-plan.ts';

/** What deciding about refs needs from outside. */
export interface RefContext {
  readonly offline: boolean;
  /** Opens a Hub client; the caller closes it. */
  readonly connect: (endpoint: string | undefined) => Promise<HubApi>;
  readonly warn: (line: string) => void;
}

/**
 * Has the ref that was asked for name the exported commit. A lock may be older than what the user
 * has: a ref that names another commit of the cache moves only when the Hub says that the exported
 * one is the newest.
 *
 * @param endpoint that of the lock
 */
export async function exportRef(
  exported: Exported,
  writer: RepoWriter,
  endpoint: string | undefined,
  context: RefContext,
): Promise<void> {
  const { title, ref, rev, isNewest } = exported;
  const other = await writer.putRef(ref, rev, isNewest);
  if (other === undefined) return;
  if (await isNewestAtHub(exported, endpoint, context)) {
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
  { type, repo, ref, rev }: Exported,
  endpoint: string | undefined,
  { offline, connect }: RefContext,
): Promise<boolean> {
  if (offline) return false;
  const hub = await connect(endpoint);
  try {
    return (await hub.revision(type, repo, ref)).rev === rev;
  } catch (error) {
    if (error instanceof HugError) return false;
    throw error;
  } finally {
    await hub.close();
  }
}
