import prettyBytes from 'pretty-bytes';

/** Long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 10_000;

/** Makes a meter of how fast bytes come, measured over the last seconds. */
export function createMeter() {
  let samples: { readonly bytes: number; readonly at: number }[] = [];
  return {
    /** Tells how many bytes are there at a time in ms. */
    note(bytes: number, at: number) {
      samples = [...samples.filter((sample) => at - sample.at <= WINDOW_MS), { bytes, at }];
    },
    /** Bytes per second; 0 before there is anything to tell. */
    rate() {
      const [first, last] = [samples[0], samples.at(-1)];
      if (first === undefined || last === undefined || last.at === first.at) return 0;
      return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at));
    },
  };
}

/** How far a file or all files are. Sizes in bytes. */
export interface ByteProgress {
  readonly bytes: number;
  readonly size: number;
  /** Bytes per second; 0 when not known. */
  readonly rate: number;
}

/** How much is there: `10.7 MB of 51 MB`. */
export const amountText = ({ bytes, size }: ByteProgress): string =>
  `${prettyBytes(bytes)} of ${prettyBytes(size)}`;

/** From `0%` to `100%`, which is shown when all is there. */
export const percentText = (progress: ByteProgress): string =>
  `${Math.floor(100 * fractionOf(progress))}%`;

/** `12.7 MB/s`; empty when not known. */
export const rateText = ({ rate }: ByteProgress): string =>
  rate === 0 ? '' : `${prettyBytes(rate)}/s`;

/** More seconds are a guess from the first few bytes. */
const MAX_LEFT = 100 * 3600;

/** `45 s left`; empty when not known. */
export function leftText({ bytes, size, rate }: ByteProgress): string {
  const seconds = rate === 0 ? Infinity : (size - bytes) / rate;
  return seconds > MAX_LEFT ? '' : `${durationText(seconds)} left`;
}

/** A bar of so many characters: what is there, and what is not. */
export function barText(progress: ByteProgress, width: number): [done: string, open: string] {
  const done = Math.floor(width * fractionOf(progress));
  return ['█'.repeat(done), '░'.repeat(width - done)];
}

/** A file that turns out larger than announced is there at 1. */
const fractionOf = ({ bytes, size }: ByteProgress): number =>
  size === 0 ? 1 : Math.min(1, bytes / size);

/** A time for people: `45 s`, `3 min`, `2 h 5 min`. */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.ceil(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
