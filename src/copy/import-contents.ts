import { cachedFiles } from '../cache/find.ts';
import { HugError } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import { quote } from '../quote.ts';
import type { MissingBlob, PlacedFile } from './placement.ts';
import { type BringContext, bringContents, type BringOptions } from './to-store.ts';
import { cachedNames } from './cached-names.ts';
import type { Source } from './sources.ts';
import { count } from '../output/text.ts';
import { throwFailures } from '../failures.ts';
import type { Store } from '../project/store.ts';

/** Names of files in one message. */
const MAX_NAMES = 10;

/**
 * Brings contents from the Hugging Face cache into the store, and tells by digest where each came
 * from. No network is used.
 *
 * @param checked files of the cache that were hashed already, by digest
 * @throws HugError `EHUG_NOT_CACHED` when the cache lacks some, and those of `bringContents`; all of
 *   them in one, and what could be brought is in the store then
 */
export async function importContents(
  contents: readonly MissingBlob[],
  store: Store,
  checked: BringOptions['checked'],
  context: BringContext,
): Promise<ReadonlyMap<string, Source>> {
  const { there, absent } = await divide(contents, context.cacheFolder);
  const [brought] = await Promise.allSettled([
    bringContents(there, store, { absent: unsound, checked }, { ...context, offline: true }),
  ]);
  const lacking = lackingErrors(absent);
  if (brought.status === 'rejected') throwFailures([brought.reason, ...lacking]);
  const sources = brought.status === 'fulfilled' ? brought.value : new Map<string, Source>();
  throwFailures(lacking, sources.size === 0 ? [] : [addedText(sources.size)]);
  return sources;
}

/** Tells what the cache has a file for, sound or not, from what it lacks. */
async function divide(contents: readonly MissingBlob[], cache: string) {
  const there: MissingBlob[] = [];
  const absent: MissingBlob[] = [];
  for (const content of contents) {
    const files = await cachedFiles(cache, content.places.flatMap(cachedNames));
    (files.size === 0 ? absent : there).push(content);
  }
  return { there, absent };
}

/** One error for each entry. */
function lackingErrors(absent: readonly MissingBlob[]): HugError[] {
  const files = absent.flatMap(({ places }) => places);
  const entries = new Set(files.map(placeOf));
  return [...entries].map((place) => {
    const own = files.filter((file) => placeOf(file) === place);
    return notCached(lackingText(own)).within(place);
  });
}

function lackingText(files: readonly PlacedFile[]): string {
  const names = files.slice(0, MAX_NAMES).map(({ path }) => quote(path));
  const more = files.length > MAX_NAMES ? ', …' : '';
  const many = `${count(files.length, 'file', 'files')} of ${files[0]?.entry.files.size ?? 0}`;
  return `the Hugging Face cache lacks ${many}: ${names.join(', ')}${more}`;
}

/** The error for a file that the cache has in no sound state; the damage itself is told apart. */
export const unsound = (path: string): HugError =>
  notCached(`the Hugging Face cache has no sound copy of ${quote(path)}`);

function notCached(message: string): HugError {
  return new HugError('EHUG_NOT_CACHED', message, {
    hint: 'Run nix-hug fetch instead: it takes what the cache has, and downloads the rest.',
  });
}

const addedText = (added: number): string =>
  `added to the Nix store: ${count(added, 'other file', 'other files')}`;
