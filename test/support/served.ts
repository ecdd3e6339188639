import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { spawnCli, type SpawnedCli, type SpawnOptions } from './spawn-cli.ts';

/** A `nix-hug serve` that runs. */
export interface Served extends SpawnedCli {
  /** Address that it printed. */
  readonly address: string;
}

/**
 * Starts `nix-hug serve` at a free port of loopback, in a process of its own that is killed at the
 * latest when the test ends.
 *
 * @throws Error when it ends before it has an address
 */
export async function serve(
  options: SpawnOptions,
  more: readonly string[] = ['--listen', '127.0.0.1:0'],
): Promise<Served> {
  const spawned = spawnCli(['serve', ...more], options);
  onTestFinished(() => void spawned.child.kill('SIGKILL'));
  const { stdout } = spawned.child;
  if (stdout === null) throw new Error('the output is not piped');
  const lines = createInterface({ input: stdout });
  const first = once(lines, 'line').then(([line]: unknown[]) => String(line));
  const failed = spawned.ended.then(({ stderr }) => {
    throw new Error(`serve ended: ${stderr}`);
  });
  const address = await Promise.race([first, failed]);
  failed.catch(() => undefined);
  return { ...spawned, address };
}
