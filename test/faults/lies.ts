import fc from 'fast-check';
import type { Fault } from '../support/hub/index.ts';

/** A wrong answer in the form of a right one. */
export interface Lie {
  readonly title: string;
  readonly fault: Fault;
}

/** An entry of a tree as the hub sends it. */
type Entry = Record<string, unknown>;

const SIZES = [0, -1, 0.5, 1, 10_000, 2 ** 53, 1e300, '12', null];
const IDS = ['f'.repeat(40), 'F'.repeat(40), 'f'.repeat(39), '../../x', '', null, 7];
const DIGESTS = ['f'.repeat(64), '*'.repeat(64), 'f'.repeat(63), null];
const PATHS = [
  '../evil',
  '/etc/passwd',
  'a/../../evil',
  './a',
  'a//b',
  '',
  'C:\\evil',
  String.raw`\\host\share`,
  'nul\u0000.json',
  'line\nbreak',
  '\u001b[31mred',
  '\ud800',
  '__proto__',
  'constructor',
  '.git/config',
  '$(touch evil)',
  '`touch evil`; "\'',
  'x'.repeat(300),
  `${'d/'.repeat(3000)}f`,
  'config.json',
  'config.json/below',
  7,
  null,
];
const TYPES = ['directory', 'symlink', 'submodule', 'file', null];

const change = (values: readonly unknown[], field: string) =>
  fc
    .constantFrom(...values)
    .map((value): [string, (entry: Entry) => unknown] => [
      `${field} is ${shown(value)}`,
      (entry) => ({ ...entry, [field]: value }),
    ]);

const lfsChange = fc
  .constantFrom(...DIGESTS)
  .map((oid): [string, (entry: Entry) => unknown] => [
    `lfs.oid is ${shown(oid)}`,
    (entry) => ({ ...entry, lfs: { oid, size: entry['size'], pointerSize: 130 } }),
  ]);

const entryChange = fc.oneof(
  change(SIZES, 'size'),
  change(IDS, 'oid'),
  { weight: 2, arbitrary: change(PATHS, 'path') },
  change(TYPES, 'type'),
  change([null, {}, [], 'x', undefined], 'lfs'),
  lfsChange,
  fc.constantFrom<[string, (entry: Entry) => unknown]>(
    ['it is null', () => null],
    ['it is text', () => 'file'],
    ['it is a list', () => []],
    ['it is new', (entry) => ({ ...entry, path: 'invented.txt' })],
  ),
);

/** One entry of a page is not what it was, or is gone. */
const changedEntry = fc.tuple(fc.nat(20), entryChange).map(([at, [what, apply]]): Lie => {
  const body = (entries: Entry[]) =>
    entries.map((entry, index) => (index === at % entries.length ? apply(entry) : entry));
  return { title: `entry ${at}: ${what}`, fault: { kind: 'json', body } };
});

const missingEntry = fc.nat(20).map((at): Lie => {
  const body = (entries: Entry[]) => entries.filter((_, index) => index !== at % entries.length);
  return { title: `entry ${at} is missing`, fault: { kind: 'json', body } };
});

const repeatedEntry = fc.constant<Lie>({
  title: 'every entry comes twice',
  fault: { kind: 'json', body: (entries: Entry[]) => [...entries, ...entries] },
});

const VALUES = [null, [], {}, 0, true, 'text', [[]], [null], { error: 'none' }];
const otherJson = fc
  .constantFrom(...VALUES)
  .map((body): Lie => ({ title: `JSON ${JSON.stringify(body)}`, fault: { kind: 'json', body } }));

const TEXTS = [
  '',
  '{',
  '['.repeat(100_000),
  'NaN',
  '{"__proto__":{"sha":1}}',
  '\ufeff[]',
  '\u0000',
];
const otherText = fc.constantFrom(...TEXTS).map((body): Lie => {
  const title = `text ${shown(body)}`;
  return { title, fault: { kind: 'status', status: 200, body } };
});

const lastPage = fc.constant<Lie>({
  title: 'no further page',
  fault: { kind: 'headers', headers: { link: undefined } },
});

/** Lies about a tree. */
export const treeLie: fc.Arbitrary<Lie> = fc.oneof(
  { weight: 8, arbitrary: changedEntry },
  missingEntry,
  repeatedEntry,
  otherJson,
  otherText,
  lastPage,
);

const field = (name: string, values: readonly unknown[]) =>
  fc.constantFrom(...values).map((value): Lie => {
    const body = (info: Entry) => ({ ...info, [name]: value });
    return { title: `${name} is ${shown(value)}`, fault: { kind: 'json', body } };
  });

/** Lies about the commit of a branch, and about the id of a repository. */
export const infoLie: fc.Arbitrary<Lie> = fc.oneof(
  field('sha', IDS),
  field('id', ['org/other', '../..', 'a/b/c', 'org/x.git', '', null, 'ORG/TINY', 'org/tiny?x']),
  otherJson,
  otherText,
);

/** Lies about tags. */
export const refsLie: fc.Arbitrary<Lie> = fc.oneof(
  field('tags', [
    null,
    [],
    [{}],
    [{ name: 7 }],
    [{ name: '9.9.9' }],
    [{ name: '1.0.0/../../x' }],
    [{ name: '1.0.0+\u001b[31m' }],
    [{ name: `1.${'9'.repeat(400)}.0` }],
    [{ name: `1.0.0-${'a.'.repeat(5000)}` }],
  ]),
  otherJson,
  otherText,
);

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 40 ? `${text.slice(0, 40)}… (${text.length})` : text;
};
