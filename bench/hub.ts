import { sriOfHex } from '../src/integrity.ts';
import type { RemoteFile } from '../src/transfer/answer.ts';
import { lfs, startHub } from '../test/support/hub/index.ts';

/** What the hub is to serve. */
export interface Offer {
  /** Repository id. */
  readonly id: string;
  /** Number of files. */
  readonly count: number;
  /** Bytes of each. */
  readonly size: number;
}

/** What it serves. */
export interface Served {
  readonly id: string;
  readonly rev: string;
  readonly files: readonly RemoteFile[];
}

/** What the hub tells the benchmark when it is ready. */
export interface Ready {
  readonly endpoint: string;
  readonly served: readonly Served[];
}

// A hub in a process of its own, so that it shares no event loop with a client.
const hub = await startHub();
const served: Served[] = [];
const offers: Offer[] = JSON.parse(process.argv[2] ?? '[]');
for (const { id, count, size } of offers) {
  const contents = Array.from(
    { length: count },
    (_, seed) => [`file-${seed}.bin`, lfs.generated({ size, seed })] as const,
  );
  const repo = await hub.createRepo({ type: 'model', id });
  const rev = await repo.commit({ files: contents });
  const files = contents.map(async ([path, content]) => ({
    url: `${hub.endpoint}/${id}/resolve/${rev}/${path}`,
    subject: { type: 'model' as const, id, ref: rev, path },
    size,
    hash: sriOfHex(await content.sha256()),
  }));
  served.push({ id, rev, files: await Promise.all(files) });
}

process.on('message', (latencyMs: number) => {
  hub.options.latencyMs = latencyMs;
  process.send?.('done');
});
process.on('disconnect', () => void hub.close());
const ready: Ready = { endpoint: hub.endpoint, served };
process.send?.(ready);
