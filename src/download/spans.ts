/** Bytes of a file from `start` up to, but not addRange, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** ByteRanges in order, none empty, no two touching. */
export type ByteRanges = readonly ByteRange[];

/** The spans with one more, which may touch or overlap others. */
export function addRange(spans: ByteRanges, added: ByteRange): ByteRanges {
  if (added.start >= added.end) return spans;
  const before = spans.filter(({ end }) => end < added.start);
  const after = spans.filter(({ start }) => start > added.end);
  const touching = spans.slice(before.length, spans.length - after.length);
  const merged = {
    start: Math.min(added.start, ...touching.map(({ start }) => start)),
    end: Math.max(added.end, ...touching.map(({ end }) => end)),
  };
  return [...before, merged, ...after];
}

/** How many bytes from the first one on are there without a gap. */
export function frontierOf([first]: ByteRanges): number {
  return first?.start === 0 ? first.end : 0;
}

/** How many bytes are there. */
export function bytesIn(spans: ByteRanges): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * The first bytes that are not there.
 *
 * @param size of the file, in bytes
 * @param most bytes that are wanted
 */
export function firstGap(spans: ByteRanges, size: number, most: number): ByteRange | undefined {
  const start = frontierOf(spans);
  const next = spans.find((span) => span.start > start)?.start ?? size;
  return start < size ? { start, end: Math.min(next, start + most) } : undefined;
}
