import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Offer, Order, Reply, RequestCount, Served } from './hub.ts';

/** A hub that runs in a process of its own. */
export interface BenchHub {
  readonly endpoint: string;
  readonly served: readonly Served[];
  /**
   * How long each answer waits from now on, and what all answers share, in bytes per second; without
   * it as much as the machine can.
   */
  readonly setNetwork: (ms: number, bytesPerSecond?: number) => Promise<void>;
  /** Counts the requests since the last order. */
  readonly count: () => Promise<RequestCount>;
  /** Adds a commit to a repository. */
  readonly commit: (id: string) => Promise<void>;
}

/** Starts a hub, hands it to `use`, and ends it. */
export async function* withHub<T>(
  offers: readonly Offer[],
  use: (hub: BenchHub) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const child = fork(path.join(import.meta.dirname, 'hub.ts'), [JSON.stringify(offers)]);
  try {
    const ready = await replyOf(child);
    if (!('served' in ready)) throw new Error('The hub did not start');
    const tell = async (order: Order): Promise<RequestCount> => {
      const reply = replyOf(child);
      child.send(order);
      const answer = await reply;
      if (!('counted' in answer)) throw new Error('The hub answered something else');
      return answer.counted;
    };
    yield* use({
      ...ready,
      setNetwork: async (ms, bytesPerSecond = 0) =>
        void (await tell({ order: 'network', ms, bytesPerSecond })),
      count: () => tell({ order: 'count' }),
      commit: async (id) => void (await tell({ order: 'commit', id })),
    });
  } finally {
    child.disconnect();
  }
}

const replyOf = (child: ChildProcess): Promise<Reply> =>
  new Promise((resolve) => child.once('message', (reply: Reply) => resolve(reply)));
