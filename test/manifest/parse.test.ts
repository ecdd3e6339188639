import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { EMPTY_LOCK, formatLock, parseLock } from '../../src/lock/codec.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { ENTRY_KEYS, FILE_KEYS } from '../../src/manifest/schema.ts';
import endpoints from '../fixtures/endpoints.json' with { type: 'json' };

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures', 'manifest');
const EXAMPLE = path.join(import.meta.dirname, '..', '..', 'hug.yaml.example');

const PIECES = [
  'models',
  'datasets',
  'endpoint',
  'dependencies',
  'repo',
  'ref',
  'version',
  'include',
  'exclude',
  'files',
  'name',
  'constructor',
  '__proto__',
  'org/name',
  'https://huggingface.co/org/name/blob/main/a',
  '*.bin',
  '^1.2',
  '1234567',
  'true',
  'null',
  '~',
  ': ',
  ':\n  ',
  ':\n    ',
  '\n',
  '\n  ',
  '\n    ',
  '\n    - ',
  '- ',
  '? ',
  ', ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '&a ',
  '*a',
  '!!str ',
  '!tag ',
  '<<: ',
  '|\n',
  '>-\n',
  '#',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '\t',
  '\r\n',
  '\u0000',
  '\ud800',
  '\uFEFF',
];

const read = (...parts: readonly string[]) => readFileSync(path.join(FIXTURES, ...parts), 'utf8');

/** Names of the fixtures in a folder, without extension; those without expectation included. */
const namesIn = (folder: string) => [
  ...new Set(readdirSync(path.join(FIXTURES, folder)).map((file) => path.parse(file).name)),
];

/** The error that a text gives; a test fails when it gives another or none. */
function refusalOf(text: string, file = 'hug.yaml'): HugError {
  try {
    parseManifest(text, file);
  } catch (error) {
    if (error instanceof HugError) return error;
    throw error;
  }
  throw new Error('the manifest is accepted');
}

/** Lists of ten aliases each, every one of the list before. */
function bomb(levels: number): string {
  return Array.from(
    { length: levels },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(10)}]\n`,
  ).join('');
}

/** The line of an example that sets a key. */
const keyLine = (key: string) => new RegExp(`^ *${key}:`, 'mu');

/** Text out of the pieces of a manifest, right and wrong ones, and of any characters. */
const yamlish = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''));

describe('a valid manifest', () => {
  it.each(namesIn('valid'))('%s', (name) => {
    const manifest = parseManifest(read('valid', `${name}.yaml`), 'hug.yaml');
    expect(manifest).toEqual(JSON.parse(read('valid', `${name}.json`)));
  });

  it('may begin with a byte order mark', () => {
    expect(parseManifest('\uFEFFmodels: { a: org/a }', 'hug.yaml').entries).toHaveLength(1);
  });

  it.each(endpoints.accepted)('may have the endpoint %j, and so may its lock', (text) => {
    const { endpoint } = parseManifest(JSON.stringify({ endpoint: text }), 'hug.yaml');
    const lock = formatLock({ ...EMPTY_LOCK, ...(endpoint === undefined ? {} : { endpoint }) });
    expect(parseLock(lock, 'hug.lock.json').endpoint).toBe(endpoint);
  });

  it.each([...endpoints.rejected, 'http://[::x]'])('cannot have the endpoint %j', (endpoint) => {
    const text = JSON.stringify({ endpoint }).replace('\u007f', String.raw`\u007f`);
    const { details } = refusalOf(text);
    expect(details).toHaveLength(1);
    expect(details[0]).toContain('"endpoint" ');
    expect(details[0]).not.toContain('s3cret');
  });

  it('may hold addresses on the endpoint of the environment', () => {
    const text =
      'endpoint: https://a.example\nmodels: { a: https://a.example/org/a, b: https://b.example/hf/org/b }';
    const options = { endpoint: 'https://b.example/hf/' };
    const { endpoint, entries } = parseManifest(text, 'hug.yaml', options);
    expect(entries.map(({ repo }) => repo)).toEqual(['org/a', 'org/b']);
    expect(endpoint).toBe('https://a.example');
  });

  it('may be large', () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `  m${index}: org/m${index}`);
    expect(parseManifest(`models:\n${lines.join('\n')}`, 'hug.yaml').entries).toHaveLength(2000);
  });

  it('may use one anchored list in a thousand entries', () => {
    const lines = Array.from(
      { length: 1000 },
      (_, index) => `  m${index}: { repo: org/m, include: *globs }`,
    );
    const text = `models:\n  m: { repo: org/m, include: &globs ["*.bin", "*.gguf"] }\n${lines.join('\n')}`;
    expect(parseManifest(text, 'hug.yaml').entries).toHaveLength(1001);
  });
});

describe('an invalid manifest', () => {
  it.each(namesIn('invalid'))('%s', (name) => {
    const { code, details } = refusalOf(read('invalid', `${name}.yaml`));
    expect(code).toBe('EHUG_MANIFEST_INVALID');
    expect(`${details.join('\n')}\n`).toBe(read('invalid', `${name}.txt`));
  });

  it('is named as the user names it, with the number of its problems', () => {
    const { message, hint, details } = refusalOf('a: 1\nb: 2\n', '../hug.yml');
    expect(message).toBe('../hug.yml has 2 problems');
    expect(hint).toBe('Correct the places named. Nothing was changed.');
    expect(details[1]).toMatch(/^\.\.\/hug\.yml:2:1: /u);
    expect(refusalOf('a: 1').message).toBe('hug.yaml has a problem');
  });

  it.each([
    ['endpoint', 'endpoint: https://me:s3cret@hub.example/?s3cret#s3cret'],
    ['repository', 'models: { a: "https://me:s3cret@huggingface.co/org/a" }'],
    ['query', 'models: { a: "https://huggingface.co/a/b/c?token=s3cret" }'],
  ])('does not repeat the secret of its %s', (_, text) => {
    const { message, details } = refusalOf(text);
    expect([message, ...details].join('\n')).not.toContain('s3cret');
  });

  it('names each licence and owner of a policy that is listed twice, where it is', () => {
    const text = 'policy:\n  licenses: [mit, apache-2.0, mit]\n  owners:\n    - org\n    - org\n';
    expect(refusalOf(text).details).toEqual([
      expect.stringMatching(/^hug\.yaml:2:\d+: .*"mit" is listed twice/u),
      expect.stringMatching(/^hug\.yaml:5:\d+: .*"org" is listed twice/u),
    ]);
  });

  it('repeats little of its text, on one line for each problem', () => {
    const long = 'long\\n\\e[31m'.repeat(50);
    const { details } = refusalOf(
      `"${long}": 1\nmodels:\n  "${long}": { ref: "${long}", files: ["/${long}"] }\n  a: "${long}"\n  b: { repo: org/b, version: "${long}", include: "${long}" }\n`,
    );
    expect(details).toHaveLength(9);
    for (const line of details) {
      expect(line.length).toBeLessThan(300);
      expect(line).toMatch(/^[\u0020-\u007e…]+$/u);
    }
  });
});

describe('no text at all', () => {
  const nested = (open: string, close = '') => open.repeat(50_000) + close.repeat(50_000);

  it.each([
    ['lists', nested('[', ']')],
    ['maps', nested('{a: ')],
    ['keys', nested('? ')],
    ['items', nested('- ')],
    ['compact maps', nested('a: ')],
    ['compact maps in a flow map', `models: { a: ${nested('a: ')}}`],
    ['anchors', nested('&a ')],
    ['quotes', nested('"')],
    ['documents', nested('---\n')],
    ['lists of lists by alias', `a0: &a0 [x]\n${bomb(100)}`],
  ])('makes a crash of 50,000 %s', (_, text) => {
    expect(refusalOf(text).details.length).toBeGreaterThan(0);
  });

  it('is read that is longer than any manifest', () => {
    expect(refusalOf('# \n'.repeat(400_000)).details).toEqual([
      'hug.yaml:1:1: longer than 1000000 characters',
    ]);
  });

  it('throws anything but the error for the user', () => {
    fc.assert(
      fc.property(yamlish, (text) => {
        try {
          for (const { name, repo, position } of parseManifest(text, 'hug.yaml').entries) {
            expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_-]*$/u);
            expect(repo).not.toBe('');
            expect(text.split('\n')[position.line - 1]?.slice(position.column - 1)).toContain(name);
          }
        } catch (error) {
          if (!(error instanceof HugError)) throw error;
          expect(error.code).toBe('EHUG_MANIFEST_INVALID');
          expect(error.details.length).toBeGreaterThan(0);
          for (const line of error.details) expect(line).toMatch(/^hug\.yaml:[1-9]\d*:[1-9]\d*: /u);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('hug.yaml.example', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  it('is valid and uses every key', () => {
    parseManifest(text, 'hug.yaml.example');
    for (const key of FILE_KEYS) expect(text).toMatch(keyLine(key));
    for (const key of ENTRY_KEYS) expect(text).toMatch(keyLine(key));
  });

  it('names the schema for editors', () => {
    expect(text.split('\n')[0]).toBe(
      '# yaml-language-server: $schema=https://raw.githubusercontent.com/nix-hug/nix-hug/main/schemas/hug.schema.json',
    );
  });
});
