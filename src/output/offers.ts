import prettyBytes from 'pretty-bytes';
import type { LockedEntry } from '../lock/schema.ts';
import { formatsIn, isFormat } from '../resolve/format.ts';
import { quantsIn } from '../resolve/quant.ts';
import { code } from './text.ts';

/** Parts in one line. */
const MAX_NAMED = 12;

/** A format below this share of all weights is no choice: optimizers and training arguments are small. */
const MIN_SHARE = 0.01;

/** What llama.cpp takes when the user names no quant. */
const USUAL_QUANTS = ['Q4_K_M', 'Q8_0'];

/** A part of a repository that would do alone. */
interface Offer {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * Lines that tell of an entry with all of its files which formats and quants there are, and how to take
 * one.
 *
 * @param command adds the repository again, without an option
 */
export function offerLines({ files }: Pick<LockedEntry, 'files'>, command: string): string[] {
  const listed = [...files].map(([path, { size }]) => ({ path, size }));
  const all = formatsIn(listed).map(({ format, size }) => ({ name: format, size }));
  const minSize = totalOf(all) * MIN_SHARE;
  const formats = all.filter(({ name, size }) => isFormat(name) && size >= minSize);
  const quants = quantsIn(listed).map(({ quant, size }) => ({ name: quant, size }));
  const usual = USUAL_QUANTS.find((quant) => quants.some(({ name }) => name === quant));
  const [format] = formats;
  return [
    ...(format === undefined || formats.length < 2
      ? []
      : [lineOf('formats', formats, `${command} --format ${format.name}`)]),
    ...(quants.length < 2
      ? []
      : [lineOf('quants', quants, `${command} --quant ${usual ?? quants[0]?.name ?? ''}`)]),
  ];
}

function lineOf(what: string, offers: readonly Offer[], command: string): string {
  const named = offers
    .slice(0, MAX_NAMED)
    .map(({ name, size }) => `${name} (${prettyBytes(size)})`)
    .join(', ');
  const more = offers.length > MAX_NAMED ? ', …' : '';
  return `  - takes all ${offers.length} ${what}, ${named}${more}; to take one: ${code(command)}`;
}

const totalOf = (offers: readonly Offer[]): number =>
  offers.reduce((sum, { size }) => sum + size, 0);
