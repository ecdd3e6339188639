import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RemoteFile } from '../../src/download/response.ts';
import { bytesAskedFor, downloadFile, publish } from '../support/download.ts';
import type { ChildReport, ChildTask } from '../support/download-child.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { silenceLeases } from '../support/silence.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const PROGRAM = fileURLToPath(new URL('../support/download-child.ts', import.meta.url));

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

/** Starts another process that downloads files. */
function start(files: readonly RemoteFile[], folder: string): ChildProcess {
  const task: ChildTask = { files, options: { endpoint: hub.endpoint, folder } };
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What a process reports, line by line, until it ends. */
async function* reportsOf({ stdout }: ChildProcess): AsyncIterable<ChildReport> {
  if (stdout === null) throw new Error('The process has no standard output');
  for await (const line of createInterface({ input: stdout })) yield JSON.parse(line);
}

/** The last report of a process. */
async function outcomeOf(child: ChildProcess) {
  for await (const report of reportsOf(child)) if ('digests' in report) return report;
  throw new Error('The process ended without a result');
}

describe('processes', () => {
  it('killed at 60 %: a later one requests less than half of the bytes', async () => {
    const folder = await tempFolder();
    const content = lfs.generated({ size: 256 * MIB, seed: 'killed' });
    const file = await publish(hub, 'org/killed', 'w.bin', content);
    const slow = hub.inject({
      match: ({ origin }) => origin === 'cdn',
      fault: { kind: 'slow', bytesPerSecond: 30 * MIB },
      times: Infinity,
    });
    const child = start([file], folder);
    for await (const report of reportsOf(child)) {
      if ('present' in report && report.present >= 0.6 * file.size) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    slow.remove();
    await silenceLeases(folder);

    hub.clearRequests();
    const { digest } = await downloadFile(file, { endpoint: hub.endpoint, folder });
    expect(digest).toEqual(file.digest);
    expect(bytesAskedFor(hub.requests, file.size)).toBeLessThan(0.5 * file.size);
    expect(await readdir(folder)).toEqual([]);
  });

  it('at once on the same file do not disturb each other', async () => {
    const folder = await tempFolder();
    const content = lfs.generated({ size: 80 * MIB, seed: 'shared' });
    const file = await publish(hub, 'org/shared', 'w.bin', content);
    const outcomes = await Promise.all([1, 2, 3].map(() => outcomeOf(start([file], folder))));
    expect(outcomes.map(({ digests }) => digests)).toEqual([
      [file.digest],
      [file.digest],
      [file.digest],
    ]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('stay under 200 MiB with eight downloads at once', async () => {
    const files = await Promise.all(
      Array.from({ length: 8 }, (_, seed) =>
        publish(hub, `org/memory-${seed}`, 'w.bin', lfs.generated({ size: 80 * MIB, seed })),
      ),
    );
    const { digests, peakBytes } = await outcomeOf(start(files, await tempFolder()));
    expect(digests).toEqual(files.map(({ digest }) => digest));
    expect(peakBytes).toBeLessThan(200 * MIB);
  });
});
