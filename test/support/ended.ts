import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** How a process ended. */
export interface Ended {
  /** Exit status; `null` when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Waits for a process with piped output, while servers in this process go on answering it.
 *
 * @throws Error when it cannot be started
 */
export async function ended(
  child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable },
): Promise<Ended> {
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
  ]);
  return { status, stdout, stderr };
}
