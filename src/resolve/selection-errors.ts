import { closestMatch } from 'leven';
import prettyBytes from 'pretty-bytes';
import { byCodeUnit } from '../collections.ts';
import { HugError } from '../errors.ts';
import { FORMATS } from '../selection.ts';
import { formatsIn } from './format.ts';
import { quantsIn } from './quant.ts';
import { variantsIn } from './variant.ts';

/** A file that errors list. */
export interface Listed {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** Files in one list. */
const MAX_LISTED = 20;

/** Missing paths for which a near one is looked for. */
const MAX_SUGGESTED = 3;

/** More edits than these are another name, not a misspelling. */
const MAX_EDITS = 3;

/** The error for exact paths that do not exist; names those that may be meant, and the files there are. */
export function missingFiles(files: readonly Listed[], missing: readonly string[]): HugError {
  const paths = files.map(({ path }) => path);
  const near = missing.slice(0, MAX_SUGGESTED).flatMap((path) => {
    const meant = nearestOf(path, paths);
    return meant === undefined ? [] : [JSON.stringify(meant)];
  });
  const suggestion = near.length === 0 ? '' : `Did you mean ${near.join(', ')}? `;
  const names = missing.map((path) => JSON.stringify(path)).join(', ');
  return new HugError('EHUG_SELECTION', `no such file at this commit: ${names}`, {
    details: listOf(files),
    hint: `${suggestion}Names are exact, case counts; use include for patterns.`,
  });
}

function nearestOf(path: string, paths: readonly string[]): string | undefined {
  const lower = path.toLowerCase();
  const base = lower.slice(lower.lastIndexOf('/') + 1);
  return (
    paths.find((one) => one.toLowerCase() === lower) ??
    closestMatch(path, paths, { maxDistance: MAX_EDITS }) ??
    paths.find((one) => one.toLowerCase().endsWith(`/${base}`))
  );
}

/** The error for a selection that keeps nothing. */
export const nothingLeft = (files: readonly Listed[]): HugError =>
  files.length === 0
    ? new HugError('EHUG_SELECTION', 'the repository has no files', {
        hint: 'Name another repository.',
      })
    : new HugError('EHUG_SELECTION', 'the selection leaves no file', {
        details: listOf(files),
        hint: 'Loosen the selection.',
      });

/** The error for a format that the repository does not have. */
export function missingFormat(files: readonly Listed[], format: string): HugError {
  const offers = formatsIn(files).map(({ format: name, size }) => ({ name, size }));
  const has = offers.length === 0 ? 'it has no weight files' : `it has ${amounts(offers)}`;
  const some = offers.find(({ name }) => FORMATS.some((known) => known === name));
  return new HugError(
    'EHUG_SELECTION',
    `no weights in the format ${format} at this commit: ${has}`,
    { hint: some === undefined ? 'Leave format out.' : `For example: format: ${some.name}` },
  );
}

/** The error for a quant that the repository does not have. */
export function missingQuant(files: readonly Listed[], quant: string): HugError {
  const offers = quantsIn(files).map(({ quant: name, size }) => ({ name, size }));
  if (offers.length > 0) {
    return new HugError(
      'EHUG_SELECTION',
      `no GGUF file with the quant ${quant} at this commit: it has ${amounts(offers)}`,
      { hint: 'Name one of these quants, or the file with files.' },
    );
  }
  const ggufs = files.filter(({ path }) => path.endsWith('.gguf'));
  return ggufs.length === 0
    ? new HugError('EHUG_SELECTION', 'the repository has no GGUF file at this commit', {
        hint: 'Leave the quant out. A revision is named with ref, not behind a colon.',
      })
    : new HugError('EHUG_SELECTION', `no GGUF file with the quant ${quant} at this commit`, {
        details: listOf(ggufs),
        hint: 'Name the file with files.',
      });
}

/** The warning for a variant that no weight file has. */
export function missingVariant(files: readonly Listed[], variant: string): string {
  const variants = variantsIn(files);
  const has = variants.length === 0 ? 'there are none' : `there are ${variants.join(', ')}`;
  return `no weight file has the variant ${variant}, so the plain ones are kept; of other variants, ${has}`;
}

const amounts = (offers: readonly { readonly name: string; readonly size: number }[]): string =>
  offers.map(({ name, size }) => `${name} (${prettyBytes(size)})`).join(', ');

/** The largest files, one a line. */
function listOf(files: readonly Listed[]): string[] {
  const largest = files.toSorted((a, b) => b.size - a.size || byCodeUnit(a.path, b.path));
  const lines = largest
    .slice(0, MAX_LISTED)
    .map(({ path, size }) => `${JSON.stringify(path)} ${prettyBytes(size)}`);
  const more = files.length - lines.length;
  return more === 0 ? lines : [...lines, `… and ${more} more`];
}
