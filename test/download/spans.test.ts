import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJournal, JOURNAL_BYTES, parseJournal } from '../../src/download/journal.ts';
import {
  bytesIn,
  firstGap,
  frontierOf,
  addRange,
  type ByteRange,
  type ByteRanges,
} from '../../src/download/spans.ts';

const SIZE = 40;

const span = fc
  .tuple(fc.nat(SIZE), fc.nat(SIZE))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));

const union = (spans: readonly ByteRange[]): ByteRanges => spans.reduce<ByteRanges>(addRange, []);

/** The bytes of some spans, one by one. */
const bytesOf = (spans: readonly ByteRange[]): Set<number> =>
  new Set(spans.flatMap(({ start, end }) => [...Array(end - start).keys()].map((i) => i + start)));

describe('spans', () => {
  it('are joined with what they touch, on both sides', () => {
    const [first, middle, last] = [
      { start: 0, end: 5 },
      { start: 5, end: 7 },
      { start: 7, end: 9 },
    ];
    expect(union([first, middle])).toEqual([{ start: 0, end: 7 }]);
    expect(union([last, middle])).toEqual([{ start: 5, end: 9 }]);
    expect(union([first, last, middle])).toEqual([{ start: 0, end: 9 }]);
  });

  it('are the union of what was included, in order and apart', () => {
    fc.assert(
      fc.property(fc.array(span), (added) => {
        const spans = union(added);
        expect(bytesOf(spans)).toEqual(bytesOf(added));
        expect(bytesIn(spans)).toBe(bytesOf(added).size);
        for (const [index, { start, end }] of spans.entries()) {
          expect(start).toBeLessThan(end);
          expect(start).toBeGreaterThan(spans[index - 1]?.end ?? -1);
        }
      }),
    );
  });

  it('have a frontier and a first gap', () => {
    fc.assert(
      fc.property(fc.array(span), fc.integer({ min: 1, max: SIZE }), (added, most) => {
        const spans = union(added);
        const there = bytesOf(spans);
        const first = [...Array(SIZE).keys()].find((byte) => !there.has(byte));
        expect(frontierOf(spans)).toBe(first ?? SIZE);
        const gap = firstGap(spans, SIZE, most);
        expect(gap?.start).toBe(first);
        if (gap === undefined) return;
        expect(gap.end - gap.start).toBeLessThanOrEqual(most);
        expect([...bytesOf([gap])].filter((byte) => there.has(byte))).toEqual([]);
        expect(gap.end === gap.start + most || gap.end === SIZE || there.has(gap.end)).toBe(true);
      }),
    );
  });
});

describe('journal', () => {
  it('is read as it was written, over the rest of a longer one', () => {
    fc.assert(
      fc.property(fc.array(span), fc.array(span), (added, before) => {
        const spans = union(added);
        const text = formatJournal(spans);
        const older = formatJournal(union(before)).padEnd(JOURNAL_BYTES, '\n');
        expect(parseJournal(text + older.slice(text.length), SIZE)).toEqual(spans);
      }),
    );
  });

  it('fits its room and claims less when there is more', () => {
    const spans = Array.from({ length: 1000 }, (_, i) => ({ start: i * 10, end: i * 10 + 5 }));
    const text = formatJournal(spans);
    expect(text.length).toBeLessThanOrEqual(JOURNAL_BYTES);
    const read = parseJournal(text, 10_000);
    expect(read.length).toBeGreaterThan(300);
    expect(read).toEqual(spans.slice(0, read.length));
  });

  it.each([
    ['', 'nothing'],
    ['present 0-5', 'no end of line'],
    ['present 0-5 x\n', 'another word'],
    ['present 0-41\n', 'more than the file'],
    ['present 5-2\n', 'a span backwards'],
    ['present 0-5 3-8\n', 'spans that overlap'],
    ['\0\0\0\0', 'a hole'],
  ])('%j claims nothing: %s', (text) => {
    expect(parseJournal(text, SIZE)).toEqual([]);
  });
});
