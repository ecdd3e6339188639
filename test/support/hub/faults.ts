import { distort } from './distort.ts';
import type { Fault } from './fault.ts';
import type { HubRequest, Reply } from './reply.ts';

/** What a rule sees of a request. */
export type RequestLine = Pick<HubRequest, 'origin' | 'method' | 'url'>;

/** When a fault happens. */
export interface FaultRule {
  /** Part of the path and query, a pattern for them, or any condition. */
  readonly match: string | RegExp | ((request: RequestLine) => boolean);
  /** How many requests get the fault; default 1. */
  readonly times?: number;
  /** How many matching requests are answered well before; default 0. */
  readonly skip?: number;
  readonly fault: Fault;
}

/** A fault that has been asked for. */
export interface Injection {
  /** How many requests got the fault so far. */
  readonly hits: number;
  /** Ends it. */
  remove(): void;
}

/** The faults of a hub. The first rule that applies to a request wins. */
export class Faults {
  #pending: { readonly rule: FaultRule; skipped: number; hits: number }[] = [];

  inject(rule: FaultRule): Injection {
    const entry = { rule, skipped: 0, hits: 0 };
    this.#pending.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  /** Counts a request, and returns how its answer is to be distorted. */
  next(request: RequestLine): (reply: Reply, request: HubRequest) => Reply | Promise<Reply> {
    for (const entry of this.#pending) {
      const { match, times = 1, skip = 0, fault } = entry.rule;
      if (entry.hits >= times || !matches(match, request)) continue;
      if (entry.skipped < skip) {
        entry.skipped += 1;
        continue;
      }
      entry.hits += 1;
      const { hits } = entry;
      return (reply, whole) => distort(reply, fault, whole, hits);
    }
    return (reply) => reply;
  }
}

function matches(match: FaultRule['match'], request: RequestLine): boolean {
  if (typeof match === 'function') return match(request);
  return typeof match === 'string' ? request.url.includes(match) : request.url.search(match) !== -1;
}
