import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_SCHEMAS } from '../scripts/json-schema.ts';
import { parseLock } from '../src/lock/codec.ts';

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

const strangeKey = fc.constantFrom('includes', 'toString', 'constructor', '__proto__', '', 'Repo');

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
        // That these follow from the path, and keys from the version, is more than a schema can say.
        const isOfPath = value === undefined && ['storeName', 'url'].includes(key);
        const isOldVersion = value === 1 && key === 'lockfileVersion';
        const sent: unknown = JSON.parse(JSON.stringify(data));
        if (reads(sent)) expect(accepts(sent), JSON.stringify(sent)).toBe(true);
        else if (typeof value !== 'string' && !isOfPath && !isOldVersion) {
          expect(accepts(sent), JSON.stringify(sent)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
