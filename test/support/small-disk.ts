import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp.ts';

const exec = promisify(execFile);

/**
 * A folder on a file system of its own, unmounted when the test ends. Only root can make one:
 * elsewhere the test is skipped with a warning, or fails if `CI` is `true`.
 *
 * @param size bytes it holds, a multiple of 4096
 * @param skip how the running test skips itself
 */
export async function smallDisk(
  size: number,
  skip: (note: string) => void,
): Promise<{ folder: string; makeReadOnly: () => Promise<void> }> {
  const folder = await tempFolder('small-disk');
  try {
    await exec('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    console.warn('A test is skipped: only root can mount a small disk');
    skip('cannot mount');
  }
  onTestFinished(async () => void (await exec('umount', [folder])));
  return {
    folder,
    makeReadOnly: async () => void (await exec('mount', ['-o', 'remount,ro', folder])),
  };
}
