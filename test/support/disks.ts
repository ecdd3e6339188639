import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const exec = promisify(execFile);

/** Whether this process may mount; root may, outside of most containers. */
export const canMount: boolean = await mayMount();

/** Puts another file system of a given size on a folder until the test ends. */
export async function mountDisk(folder: string, bytes: number): Promise<void> {
  await exec('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  onTestFinished(async () => void (await exec('umount', ['--lazy', folder])));
}

/**
 * Makes what `mountDisk` put on a folder read-only, for root too. Nix undoes what is less than that.
 */
export async function makeReadOnly(folder: string): Promise<void> {
  await exec('mount', ['-o', 'remount,ro', folder]);
}

async function mayMount(): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mount-'));
  try {
    await exec('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
    await exec('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true });
  }
}
