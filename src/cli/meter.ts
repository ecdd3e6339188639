/** How fast bytes come, measured over the last seconds. */
export interface Meter {
  /** Tells how many bytes are there at a time. */
  note(bytes: number, nowMs: number): void;
  /** Bytes per second; `undefined` before there is anything to tell. */
  rate(): number | undefined;
}

/** Long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 10_000;

/** Makes a meter that has seen nothing yet. */
export function createMeter(): Meter {
  let samples: { readonly bytes: number; readonly at: number }[] = [];
  return {
    note(bytes, nowMs) {
      const recent = samples.filter(({ at }) => nowMs - at <= WINDOW_MS);
      samples = [...recent, { bytes, at: nowMs }];
    },
    rate() {
      const first = samples[0];
      const last = samples.at(-1);
      if (first === undefined || last === undefined || last.at === first.at) return undefined;
      return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at));
    },
  };
}

/** A time for people: `45 s`, `3 min`, `2 h 5 min`. */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
