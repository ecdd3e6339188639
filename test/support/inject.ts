import { onTestFinished } from 'vitest';
import type { Fault, FaultRule, Hub, Injection } from './hub/index.ts';

/** Has a hub answer requests wrongly until the running test ends. */
export function inject(hub: Hub, rule: FaultRule): Injection {
  const injection = hub.inject(rule);
  onTestFinished(() => injection.remove());
  return injection;
}

/** The same, however many requests match. */
export const injectAlways = (hub: Hub, match: FaultRule['match'], fault: Fault): Injection =>
  inject(hub, { match, fault, times: Infinity });
