import fc from 'fast-check';
import { formatLock } from '../../src/lock/codec.ts';
import { lockedEntry, lockedFile, lockOf } from './locks.ts';

/** A lock in which every field has a value. */
export const VALID = formatLock(
  lockOf(
    {
      m: lockedEntry({
        requested: 'name',
        version: '^1.0',
        ref: 'refs/pr/1',
        select: { include: ['*.bin', 'a/**'], exclude: ['b?'] },
        files: new Map([
          ['config.json', lockedFile()],
          ['a/w.bin', lockedFile('b', { lfs: true, size: 2 ** 40 })],
          ['a/ü 1.bin', lockedFile('c', { storeName: '_1.bin', url: 'a/%C3%BC%201.bin' })],
        ]),
      }),
      n: lockedEntry({ select: { files: ['config.json'] } }),
    },
    {
      endpoint: 'https://hub.example:8080/hf',
      datasets: new Map([['d', lockedEntry({ repo: 'gpt2' })]]),
    },
  ),
);

/** Parts of texts that one of the two readers may take for something else. */
const PARTS = fc.constantFrom(
  ...String.raw`. .. / // \ : % %2E %2F @ # ? * [ ] { } $ " ' - -- _ + ~ C: .git .drv .lock @{`.split(
    ' ',
  ),
  ...String.raw`0 9 a A g F = sha512- refs/ :// :80 :65536 [::1] xn-- 1.2.3.999 0x7f.1 \u0000`.split(
    ' ',
  ),
  ...'|\0|\u0001|\n|\t| |\u007f|\u0080|\u009f|\u00a0|ü|\u200b|\u202e|\ufeff|\uffff'.split('|'),
  ...'\ud800|\udc00|🤗|\u{10ffff}'.split('|'),
  ...[96, 206, 256, 2049, 5000].map((length) => 'x'.repeat(length)),
  'ü'.repeat(127),
  'a/'.repeat(2048),
);

/** Values as JSON writes them. */
const VALUES = fc.constantFrom(
  ...'null true false {} [] "" [""] [null] [[]] ["a"] {"a":1} {"__proto__":1}'.split(' '),
  ...'{"outPath":"/"} {"__toString":1} {"__functor":1} {"type":"derivation"}'.split(' '),
  ...'"1" "main" "__proto__" "org/name" 0 -0 1 2 -1 1.0 1e0 0.5 1E400'.split(' '),
  ...'9007199254740991 9007199254740992 9223372036854775807 9223372036854775808'.split(' '),
  '18446744073709551616',
  `"${'c'.repeat(40)}"`,
);

const KEYS = fc.constantFrom(
  ...'a 1a . .. a/b ü x.drv a\\b C:x __proto__ constructor toString __toString outPath'.split(' '),
  ...'config.json config.json/x storeName url lfs size type endpoint ref requested'.split(' '),
  ...'version select include files'.split(' '),
  ...'|a b|\ud800|\0|\u0085'.split('|'),
  'x'.repeat(300),
  'a'.repeat(5000),
);

/** A place in a text or a list, once divided by its length. */
const PLACE = fc.noBias(fc.nat());

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+|true/gu;
const MEMBER = /"(?:[^"\\]|\\.)*": /gu;

/** One of the matches of a pattern, replaced. */
function replaceOne(pattern: RegExp, place: number, change: (match: string) => string): string {
  const matches = [...VALID.matchAll(pattern)];
  const match = matches[place % matches.length];
  const index = match?.index ?? 0;
  const text = match?.[0] ?? '';
  return VALID.slice(0, index) + change(text) + VALID.slice(index + text.length);
}

/** A text of JSON with a part in place of some characters. */
function spliced(json: string, place: number, removed: number, part: string): string {
  if (!json.startsWith('"')) return json + part;
  const text: string = JSON.parse(json);
  const at = place % (text.length + 1);
  return JSON.stringify(text.slice(0, at) + part + text.slice(at + removed));
}

/** Changes of one field, which leave the text JSON unless a part is no text of JSON. */
const field = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(PLACE, PLACE, fc.nat(3), PARTS)
      .map(([place, inner, removed, part]) =>
        replaceOne(STRING_OR_NUMBER, place, (json) => spliced(json, inner, removed, part)),
      ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(PLACE, VALUES)
      .map(([place, value]) => replaceOne(STRING_OR_NUMBER, place, () => value)),
  },
  fc
    .tuple(PLACE, KEYS)
    .map(([place, key]) => replaceOne(MEMBER, place, () => `${JSON.stringify(key)}: `)),
  fc.tuple(PLACE, KEYS, VALUES).map(([place, key, value]) =>
    // The key may be there already, and newer versions of Nix refuse such a number even then.
    replaceOne(MEMBER, place, (member) =>
      /^\d{19}|E400/u.test(value) ? member : `${JSON.stringify(key)}: ${value}, ${member}`,
    ),
  ),
  PLACE.map((place) => replaceOne(/^ *"[^:]*": [^{[]*,\n/gmu, place, () => '')),
);

/** Changes of a few bytes. */
const bytes = fc
  .tuple(PLACE, fc.nat(3), fc.uint8Array({ maxLength: 3 }))
  .map(([place, removed, added]) => {
    const valid = Buffer.from(VALID);
    const at = place % valid.length;
    return Buffer.concat([valid.subarray(0, at), added, valid.subarray(at + removed)]);
  });

/** Texts of locks with one random change each; most are valid JSON. */
export const mutatedLocks = (seed: number, count: number): Buffer[] =>
  fc.sample(fc.oneof({ arbitrary: field.map((text) => Buffer.from(text)), weight: 9 }, bytes), {
    seed,
    numRuns: count,
  });
