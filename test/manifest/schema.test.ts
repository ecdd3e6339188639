import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_SCHEMAS } from '../../scripts/json-schema.ts';
import { HugError } from '../../src/errors.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { readSource } from '../../src/manifest/source.ts';
import endpoints from '../fixtures/endpoints.json' with { type: 'json' };
import table from '../fixtures/manifests.json' with { type: 'json' };
import forms from '../fixtures/repo-forms.json' with { type: 'json' };

const VALID = new URL('../fixtures/manifest/valid/', import.meta.url);

const schema = JSON.parse(JSON_SCHEMAS['hug.schema.json'] ?? '') as object;
const isAccepted = new Ajv().compile(schema);
/** As in an editor whose patterns know UTF-16 units only. */
const isAcceptedByUnits = new Ajv({ unicodeRegExp: false }).compile(schema);

/** Every problem that the reader finds in a manifest, without its place. */
function problemsOf(manifest: unknown, endpoint?: string): readonly string[] {
  // JSON is YAML, but for some characters that YAML wants escaped.
  const text = JSON.stringify(manifest).replaceAll(
    /[\u007f-\uffff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  try {
    parseManifest(text, 'hug.yaml', { endpoint });
    return [];
  } catch (error) {
    if (error instanceof HugError) return error.details.map((line) => line.replace(/^\S+ /u, ''));
    throw error;
  }
}

const model = (entry: unknown) => ({ models: { a: entry } });
const fields = (others: object) => model({ repo: 'org/name', ...others });
const HUB = 'https://huggingface.co';

/**
 * What the reader refuses and JSON Schema cannot, with the reader's words for it. What is wrong with
 * the text itself, such as a key that is there twice, is for the YAML of an editor to say.
 */
const UNSEEN = [
  {
    problem: /is not a semver range$/u,
    because: 'the grammar of ranges is more than a pattern can hold',
    manifests: [fields({ version: 'latest' }), fields({ version: '>=1 <' })],
  },
  {
    problem: /^"endpoint" is not an address$/u,
    because: 'a pattern cannot say which numbers are addresses',
    manifests: [{ endpoint: 'https://1.2.3.999' }],
  },
  {
    problem: /has a segment of over 255 bytes$/u,
    because: 'a pattern counts characters',
    manifests: [fields({ files: ['ä'.repeat(128)] }), fields({ ref: 'x'.repeat(256) })],
  },
  {
    problem: /has over \d+ (?:bytes|characters)$/u,
    because: 'a pattern with such a count is too large for some editors',
    manifests: [
      fields({ files: [`${'a/'.repeat(2048)}a`] }),
      { endpoint: `https://hub.example/${'a'.repeat(2048)}` },
    ],
  },
  {
    problem: /is not valid Unicode$/u,
    because: 'a pattern for it takes an emoji for two halves in some editors',
    manifests: [fields({ files: ['\ud800'] }), fields({ ref: '\udc00' })],
  },
  {
    problem: /^"(?:https?:|hf:\/\/|[\w-]+[.:][\w-]).*" is not a repository: /iu,
    because: 'HF_ENDPOINT may make any host a Hub and put any path before an id',
    manifests: [
      model('https://example.com/org/name'),
      model('hub.example/org/name'),
      model('hf://org/name@main/../x'),
      model(`${HUB}/org/name/more`),
      model(`${HUB}/org/name/tree/main/unet`),
      model(`${HUB}/org/name/tree/..%2Fx`),
      model(`${HUB}/org/name/tree/%zz`),
    ],
  },
  {
    problem: /^spaces are not supported$/u,
    because: 'HF_ENDPOINT may end with /spaces',
    manifests: [model(`${HUB}/spaces/org/name`)],
  },
  {
    problem: /^"(?:https?:|[\w-]+[.:][\w-]).*" is a (?:dataset|model): it belongs under /iu,
    because: 'HF_ENDPOINT may end with /datasets, and "datasets" may be anywhere in a path',
    manifests: [
      model(`${HUB}/datasets/org/name`),
      { datasets: { a: `${HUB}/org/name/blob/main/datasets/a.bin` } },
    ],
  },
  {
    problem: /^the address already names the /u,
    because: 'HF_ENDPOINT may end with /tree/x, and then so much is not of the address',
    manifests: [
      fields({ repo: `${HUB}/org/name/tree/main`, ref: 'main' }),
      fields({ repo: `${HUB}/org/name/blob/main/a.bin`, files: ['a.bin'] }),
    ],
  },
] as const;

const isUnseen = (problem: string) => UNSEEN.some((unseen) => unseen.problem.test(problem));

/** A map with any keys, `__proto__` included; the last value of a key counts. */
const mapOf = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(key, value), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));

/** Mostly right, so that most of the maps above it are right too. */
const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 20, arbitrary: right }, { weight: 1, arbitrary: wrong });

/** What means something in a form, a ref, a path or a range. */
const PIECES = `org name a B 1 _ - . / : @ % ? # ~ \\ ä 🤗 [ { ! ^ * >= .. // ./ -- .git .lock C:
refs/pr/ hf: hf:// hf-datasets: models/ datasets/ spaces/ %64atasets/ https:// HTTP:// huggingface.co/ hub.example/
/tree/ /blob/`.split(/\s/u);
const pieced = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '\u2028', '\ud800', 'A'.repeat(40)) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
    ),
    { maxLength: 7 },
  )
  .map((pieces) => pieces.join(''));
const anything = fc.oneof(
  pieced,
  fc.constantFrom<unknown>(
    '',
    'org/name',
    '!x',
    null,
    true,
    1.5,
    [],
    {},
    [''],
    ['!a'],
    ['a', 1],
    [null],
    [['a']],
    ['a', 'a'],
    { repo: 'org/name' },
  ),
);
const strangeKey = fc.constantFrom('includes', 'toString', 'constructor', '__proto__', '', 'Repo');
const address = fc
  .tuple(
    fc.constantFrom('https://huggingface.co/', 'HTTP://hf.co/', 'https://hub.example/'),
    fc.array(
      fc.constantFrom('org', 'name', 'datasets', 'd%61tasets', 'tree', 'blob', 'main', 'a.b', ''),
      { minLength: 1, maxLength: 7 },
    ),
    fc.constantFrom('', '', '?a=@b', '#--'),
  )
  .map(([start, segments, end]) => start + segments.join('/') + end);
const repoForm = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('org/name', 'gpt2', 'Org.1/na-me_2.x') },
  { weight: 1, arbitrary: fc.constantFrom('hf:a/b', 'models/a', 'datasets/a', 'hf-datasets:a') },
  { weight: 2, arbitrary: address },
);
const texts = (first: string, ...others: readonly string[]) =>
  mostly<unknown>(fc.oneof(fc.constantFrom(first, ...others), pieced), anything);
const list = mostly<unknown>(
  fc.uniqueArray(
    mostly(fc.constantFrom('*.bin', 'a/b', 'A/b', 'x!', 'ä/🤗', '...', 'b:c', 'a b'), pieced),
    { minLength: 1, maxLength: 3 },
  ),
  anything,
);
const revision = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.record({ ref: texts('main', 'v1.0', 'refs/pr/1', 'é{x}') }) },
  { weight: 2, arbitrary: fc.record({ version: texts('^1.2', '1 || 2', '*') }) },
  { weight: 1, arbitrary: fc.record({ ref: repoForm, version: texts('1') }) },
);
const selection = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.record({ include: list, exclude: list }, { requiredKeys: [] }) },
  { weight: 4, arbitrary: fc.record({ files: list }) },
  {
    weight: 1,
    arbitrary: fc.record({ include: list, exclude: list, files: list }, { requiredKeys: [] }),
  },
);
const dependencies = fc.record(
  { dependencies: mostly<unknown>(fc.constantFrom('lock', 'warn', 'ignore'), anything) },
  { requiredKeys: [] },
);
const entry = fc
  .tuple(
    fc.record({ repo: mostly<unknown>(repoForm, anything) }),
    revision,
    selection,
    dependencies,
    mostly(fc.constant({}), mapOf(strangeKey, anything)),
  )
  .map(([repo, wanted, selected, mode, strange]) => ({
    ...repo,
    ...wanted,
    ...selected,
    ...mode,
    ...strange,
  }));
const entryName = mostly(
  fc.constantFrom('a', '_b', 'C-1', 'toString', 'models'),
  fc.constantFrom('1a', '', 'a b', 'ä', 'constructor', 'prototype', '__proto__'),
);
const section = mostly<unknown>(
  mapOf(entryName, fc.oneof(entry, mostly<unknown>(repoForm, anything))),
  anything,
);
const anyManifest = mostly<unknown>(
  fc
    .tuple(
      fc.record(
        {
          endpoint: mostly<unknown>(
            fc.constantFrom('https://hub.example', 'http://x', 'https://huggingface.co/datasets'),
            anything,
          ),
          models: section,
          datasets: section,
        },
        { requiredKeys: [] },
      ),
      dependencies,
      mostly(fc.constant({}), mapOf(strangeKey, anything)),
    )
    .map(([known, mode, strange]) => ({ ...known, ...mode, ...strange })),
  anything,
);
/** `HF_ENDPOINT` */
const hub = fc.constantFrom(
  undefined,
  'https://hub.example',
  'https://hub.example/org/datasets/',
  'https://huggingface.co/datasets',
  'https://hf.co/org/name/tree',
);

describe('hug.schema.json', () => {
  it.each(table.accepted)('accepts $manifest, which $why', ({ manifest }) => {
    expect(problemsOf(manifest)).toEqual([]);
    expect([isAccepted(manifest), isAcceptedByUnits(manifest)]).toEqual([true, true]);
  });

  it.each(table.rejected)('refuses $manifest, which $why', ({ manifest }) => {
    expect(problemsOf(manifest)).not.toEqual([]);
    expect(isAccepted(manifest)).toBe(false);
  });

  it.each(UNSEEN)('does not refuse what the reader does, since $because', (unseen) => {
    for (const manifest of unseen.manifests) {
      expect(problemsOf(manifest)).toEqual([expect.stringMatching(unseen.problem)]);
      expect(isAccepted(manifest), JSON.stringify(manifest)).toBe(true);
    }
  });

  it.each(readdirSync(VALID).filter((name) => name.endsWith('.yaml')))('accepts %s', (name) => {
    const { data } = readSource(readFileSync(new URL(name, VALID), 'utf8'));
    expect(isAccepted(data)).toBe(true);
  });

  it('accepts every endpoint that there can be', () => {
    const refused = endpoints.accepted.filter((endpoint) => !isAccepted({ endpoint }));
    expect(refused).toEqual([]);
    expect(endpoints.rejected.filter((endpoint) => isAccepted({ endpoint }))).toEqual([]);
  });

  it('accepts every repository form, and of the wrong ones only addresses', () => {
    const isForm = (form: string) =>
      isAccepted(model(form)) || isAccepted({ datasets: { a: { repo: form } } });
    expect(forms.accepted.filter(({ form }) => !isForm(form))).toEqual([]);
    const wrong = forms.rejected.filter(({ form }) => isForm(form)).map(({ form }) => form);
    const isAddress = /^(?:https?:\/\/[^/@]+\/.|hf:\/\/.|[a-z]+\.[a-z.]+\/.)/u;
    expect(wrong.filter((form) => !isAddress.test(form))).toEqual([]);
  });

  it('agrees with the reader on every manifest but where a reason is known', () => {
    const verdicts = { accepted: 0, refused: 0, unseen: 0 };
    fc.assert(
      fc.property(anyManifest, hub, (data, endpoint) => {
        const problems = problemsOf(data, endpoint);
        const at = JSON.stringify([data, endpoint, problems]);
        if (problems.length === 0) {
          expect([isAccepted(data), isAcceptedByUnits(data)], at).toEqual([true, true]);
          verdicts.accepted += 1;
        } else if (problems.every(isUnseen)) {
          verdicts.unseen += 1;
        } else {
          expect(isAccepted(data), at).toBe(false);
          verdicts.refused += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(verdicts.accepted).toBeGreaterThan(300);
    expect(verdicts.refused).toBeGreaterThan(300);
    expect(verdicts.unseen).toBeGreaterThan(50);
  });

  it('describes every key for editors', () => {
    const undescribed: string[] = [];
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === 'properties' && typeof value === 'object') {
        for (const [property, rule] of Object.entries(
          value as Record<string, false | { description?: string }>,
        )) {
          if (rule !== false && rule.description === undefined) undescribed.push(property);
        }
      }
      return value;
    });
    expect(undescribed).toEqual([]);
    expect(schema).toMatchObject({ title: 'hug.yaml', description: expect.any(String) });
    expect(schema).not.toHaveProperty('$id');
  });
});
