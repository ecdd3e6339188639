import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_SCHEMAS } from '../scripts/json-schema.ts';
import { parseLock } from '../src/lock/codec.ts';
import { checkShape } from '../src/manifest/shape.ts';

const SCHEMAS = new URL('../schemas/', import.meta.url);

describe('schemas', () => {
  it.each(Object.entries(JSON_SCHEMAS))('%s is what `npm run schemas` writes', (name, text) => {
    expect(readFileSync(new URL(name, SCHEMAS), 'utf8')).toBe(text);
  });

  it('are all written by `npm run schemas`', () => {
    const files = readdirSync(SCHEMAS, { recursive: true, encoding: 'utf8' });
    const schemas = files.filter((file) => file.endsWith('.json'));
    expect(schemas.toSorted()).toEqual(Object.keys(JSON_SCHEMAS).toSorted());
  });
});

/** A map with any keys, `__proto__` included; the last value of a key counts. */
const mapOf = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(key, value), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));

/** Mostly right, so that most of the maps above it are right too. */
const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: wrong });

const anything = fc.constantFrom<unknown>(
  '',
  'org/name',
  '!x',
  'ftp://x',
  null,
  true,
  0,
  1.5,
  [],
  {},
  [''],
  ['!a'],
  ['a', 1],
  [null],
  [['a']],
  { repo: 'org/name' },
);
const strangeKey = fc.constantFrom('includes', 'toString', 'constructor', '__proto__', '', 'Repo');
const text = mostly<unknown>(fc.constantFrom('org/name', 'main', '^1.2', ' ', 'ä\n'), anything);
const list = mostly<unknown>(
  fc.array(fc.constantFrom('*.bin', 'a/b', 'x!'), { minLength: 1 }),
  anything,
);
const fields = fc
  .tuple(
    fc.record({ repo: text }),
    fc.record(
      { ref: text, version: text, include: list, exclude: list, files: list },
      { requiredKeys: [] },
    ),
    mostly(fc.constant({}), mapOf(strangeKey, anything)),
  )
  .map(([repo, others, strange]) => ({ ...repo, ...others, ...strange }));
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', '_b', 'C-1', 'toString', 'models') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1a', '', 'a b', 'ä', 'constructor', 'prototype', '__proto__'),
  },
);
const section = mostly<unknown>(mapOf(name, fc.oneof(text, fields)), anything);
const manifest = mostly<unknown>(
  fc
    .tuple(
      fc.record(
        {
          endpoint: mostly<unknown>(fc.constantFrom('https://hub.example', 'http://x'), anything),
          models: section,
          datasets: section,
        },
        { requiredKeys: [] },
      ),
      mostly(fc.constant({}), mapOf(strangeKey, anything)),
    )
    .map(([known, strange]) => ({ ...known, ...strange })),
  anything,
);

describe('hug.schema.json', () => {
  const schema = JSON.parse(JSON_SCHEMAS['hug.schema.json'] ?? '') as object;
  const accepts = new Ajv().compile(schema);

  it('agrees with the reader on every manifest', () => {
    const verdicts = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(manifest, (data) => {
        const { problems } = checkShape(data, () => 'as written');
        expect(problems.length === 0, JSON.stringify(data)).toBe(accepts(data));
        verdicts[problems.length === 0 ? 'accepted' : 'refused'] += 1;
      }),
      { numRuns: 2000 },
    );
    expect(verdicts.accepted).toBeGreaterThan(300);
    expect(verdicts.refused).toBeGreaterThan(300);
  });

  it('describes every key for editors', () => {
    const undescribed: string[] = [];
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === 'properties' && typeof value === 'object') {
        for (const [property, { description }] of Object.entries(
          value as Record<string, { description?: string }>,
        )) {
          if (description === undefined) undescribed.push(property);
        }
      }
      return value;
    });
    expect(undescribed).toEqual([]);
    expect(schema).toMatchObject({ title: 'hug.yaml', description: expect.any(String) });
    expect(schema).not.toHaveProperty('$id');
  });
});

describe('hug.lock.schema.json', () => {
  const accepts = new Ajv().compile(JSON.parse(JSON_SCHEMAS['hug.lock.schema.json'] ?? ''));
  const example = readFileSync(
    new URL('../examples/minimal/hug.lock.json', import.meta.url),
    'utf8',
  );
  const reads = (data: unknown) => {
    try {
      parseLock(JSON.stringify(data), 'hug.lock.json');
      return true;
    } catch {
      return false;
    }
  };

  /** Every object in a JSON value, the value itself included. */
  const objectsIn = (value: unknown): Record<string, unknown>[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [value as Record<string, unknown>, ...Object.values(value).flatMap(objectsIn)]
      : [];
  const count = objectsIn(JSON.parse(example)).length;

  it('accepts a lock', () => {
    expect([accepts(JSON.parse(example)), reads(JSON.parse(example))]).toEqual([true, true]);
  });

  it('accepts whatever the reader accepts, and refuses wrong shapes as the reader does', () => {
    const values = fc.constantFrom<unknown>(null, 1, -1, true, '', 'x', [], {}, undefined);
    fc.assert(
      fc.property(fc.nat(count - 1), fc.nat(), values, strangeKey, (at, pick, value, strange) => {
        const data: unknown = JSON.parse(example);
        const object = objectsIn(data)[at] ?? {};
        const keys = [...Object.keys(object), strange];
        const key = keys[pick % keys.length] ?? '';
        object[key] = value;
        // That these follow from the path is more than a schema can say.
        const isOfPath = value === undefined && ['storeName', 'url'].includes(key);
        const sent: unknown = JSON.parse(JSON.stringify(data));
        if (reads(sent)) expect(accepts(sent), JSON.stringify(sent)).toBe(true);
        else if (typeof value !== 'string' && !isOfPath) {
          expect(accepts(sent), JSON.stringify(sent)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
