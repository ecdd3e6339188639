import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from './hub/index.ts';
import { inject } from './inject.ts';

/** Has a hub hold back an answer until the test ends, and returns what waits until it does. */
export function stall(hub: Hub, match: string): () => Promise<void> {
  const injection = inject(hub, { match, fault: { kind: 'stall', afterBytes: 1 } });
  return async () => {
    for (let tries = 0; injection.hits === 0; tries += 1) {
      if (tries === 1_000) throw new Error('nobody asked');
      await sleep(10);
    }
  };
}
