import { restoreLockText, stageLockText } from '../lock/file.ts';
import { stageManifestText } from '../manifest/file.ts';
import type { Project } from './project.ts';

/**
 * Writes a changed manifest and its lock: both or none. Both texts are on disk before the first one
 * is put in place. The lock comes first: should the process be killed between the two, then
 * `lock --check` names the difference, and the same command run again completes it.
 *
 * @param project as it was read
 * @param manifest new text of the manifest
 * @param lock new text of the lock; `undefined` leaves it as it is
 * @throws HugError `EHUG_MANIFEST_CHANGED`, `EHUG_LOCK_CHANGED`, `EHUG_FILE_SYSTEM`,
 *   `EHUG_LOCK_NOT_A_FILE`
 */
export async function writeProject(
  { manifestPath, manifestText, lockPath, lockText }: Project,
  manifest: string,
  lock: string | undefined,
): Promise<void> {
  const stagedManifest = await stageManifestText(manifestPath, manifestText, manifest);
  try {
    const stagedLock =
      lock === undefined ? undefined : await stageLockText(lockPath, lockText, lock);
    try {
      await stagedLock?.commit();
      await stagedManifest.commit();
    } catch (error) {
      await stagedLock?.discard();
      // Why the writing failed matters more than that the lock is ahead of the manifest.
      if (lock !== undefined)
        await restoreLockText(lockPath, lock, lockText).catch(() => undefined);
      throw error;
    }
  } finally {
    await stagedManifest.discard();
  }
}
