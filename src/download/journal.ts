import { bytesIn, addRange, type ByteRanges } from './spans.ts';

/** Room for the journal, in bytes: far more than downloads have gaps, and one block of a disk. */
export const JOURNAL_BYTES = 4096;

const LINE = /^present(?<spans>(?: \d{1,16}-\d{1,16})*)\n/u;

/**
 * Which bytes of a partial file are there, as text. Where there are too many gaps the last spans
 * are left out: they are then downloaded again.
 */
export function formatJournal(spans: ByteRanges): string {
  let line = 'present';
  for (const { start, end } of spans) {
    const word = ` ${start}-${end}`;
    if (line.length + word.length >= JOURNAL_BYTES) break;
    line += word;
  }
  return `${line}\n`;
}

/**
 * Reads what `formatJournal` wrote; what follows the first line is left from a longer one.
 *
 * @param size of the file, in bytes
 * @returns nothing present when the text is damaged
 */
export function parseJournal(text: string, size: number): ByteRanges {
  const words = LINE.exec(text)?.groups?.['spans']?.split(' ').slice(1) ?? [];
  let spans: ByteRanges = [];
  let listed = 0;
  for (const word of words) {
    const [start = 0, end = 0] = word.split('-').map(Number);
    spans = addRange(spans, { start, end });
    listed += end - start;
  }
  const isSound = bytesIn(spans) === listed && (spans.at(-1)?.end ?? 0) <= size;
  return isSound ? spans : [];
}
