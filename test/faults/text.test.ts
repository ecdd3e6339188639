import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { nextPage } from '../../src/hub/tree.ts';
import { requestedWaitMs } from '../../src/hub/retry.ts';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../../src/lock/conflict.ts';
import { pathNames } from '../../src/lock/names.ts';
import type { Lock, LockedEntry, LockedFile } from '../../src/lock/schema.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { badRefReason, isRepoId, parseRepoForm } from '../../src/repo.ts';
import { badEndpointReason } from '../../src/address.ts';
import { compileGlob, posixOfGlob } from '../../src/resolve/glob.ts';
import { tagsInRange } from '../../src/resolve/target.ts';
import { badTextReason, pathCollision, unsafeReason } from '../../src/safe-path.ts';

// What is read from outside: nothing but errors for the user are thrown, and no text takes long.

const seed = Number(process.env['FAULT_SEED']);
const numRuns = Number(process.env['FAULT_RUNS']);

/** Runs a reader; anything that it throws is an error for the user. */
function readOrRefuse(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    expect(error.code).not.toBe('EHUG_INTERNAL');
  }
}

const LOCK_TEXT = formatLock({
  lockfileVersion: 2,
  endpoint: 'https://hub.example',
  models: new Map([
    [
      'm',
      {
        repo: 'org/name',
        repoId: 'd'.repeat(24),
        ref: 'main',
        rev: 'c'.repeat(40),
        license: ['mit'],
        groups: ['gpu'],
        select: { include: ['*.bin'], format: 'pytorch' },
        needs: [{ repo: 'org/base', ref: 'main', by: 'config.json' }],
        files: new Map([
          ['a b', { size: 1, hash: sri(1), oid: 'a'.repeat(40), ...pathNames('a b') }],
        ]),
      },
    ],
  ]),
  datasets: new Map(),
});

const MANIFEST_TEXT = `endpoint: https://hub.example
models:
  a: org/name
  b: { repo: org/b, ref: v1, include: ["*.bin"], exclude: [x/] }
  c: { repo: org/c, version: ^1.2, files: [a b] }
`;

/** Readers of text, each with a text that it takes. */
const READERS: readonly (readonly [string, (text: string) => unknown, string])[] = [
  ['the manifest', (text) => parseManifest(text, 'hug.yaml'), MANIFEST_TEXT],
  ['the lock', (text) => parseLock(text, 'hug.lock.json'), LOCK_TEXT],
  [
    'a lock with conflict markers',
    (text) => hasConflictMarkers(text) && parseConflict(text, 'hug.lock.json'),
    `<<<<<<< a\n${LOCK_TEXT}=======\n${LOCK_TEXT}>>>>>>> b\n`,
  ],
  ['a repository form', (text) => parseRepoForm(text), 'https://hf.co/datasets/org/name/blob/v1/a'],
  ['a repository id', isRepoId, 'org/name'],
  ['a ref', badRefReason, 'refs/pr/1'],
  ['an endpoint', badEndpointReason, 'https://[::1]:80/a'],
  ['a path', unsafeReason, 'a/b.json'],
  ['a glob', (text) => compileGlob(text)('unet/model-00001.safetensors'), '**/[!a]?{b,c}*.bin'],
  ['a glob for Nix', (text) => posixOfGlob(text, ['unet/a.bin', 'ä']), '**/[!a]?{b,c}*.bin'],
  ['a Link header', (text) => nextPage(text, 'http://h/x'), '<http://h/y>; rel="next"'],
  ['a wait', (text) => requestedWaitMs({ 'retry-after': text, ratelimit: text }, 0), '"a";r=0;t=1'],
  ['a tag', (text) => tagsInRange([text, 'v1.0.0'], '>=1'), 'v1.2.3-a.1+b'],
];

describe.each(READERS)('%s', (what, read, sample) => {
  it('may be any text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), damaged(sample));
    fc.assert(
      fc.property(text, (value) => readOrRefuse(() => read(value))),
      { seed, numRuns },
    );
  });

  // The YAML package takes quadratic time for some punctuation, and has the smaller texts.
  const length = what === 'the manifest' ? 10_000 : 1_000_000;

  it(`may have ${length} characters`, () => {
    const pieces = [
      ...new Set([...sample.split(''), ' ', '\\', '<', '%', '{', '*', '(', '\n', 'ä']),
    ];
    for (const piece of [...pieces, sample]) {
      readOrRefuse(() => read(piece.repeat(Math.ceil(length / piece.length))));
      const half = Math.ceil(sample.length / 2);
      readOrRefuse(() =>
        read(sample.slice(0, half) + piece.repeat(length / 10) + sample.slice(half)),
      );
    }
  });
});

describe('a lock', () => {
  it('is read as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(lock, (value) => {
        const text = formatLock(value);
        expect(parseLock(text, 'hug.lock.json')).toEqual(value);
        expect(formatLock(parseLock(text, 'hug.lock.json'))).toBe(text);
      }),
      { seed, numRuns },
    );
  });
});

/** A text with a few parts removed, repeated or replaced. */
function damaged(sample: string): fc.Arbitrary<string> {
  const at = fc.nat(sample.length);
  const change = fc.record({
    from: at,
    to: at,
    by: fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '{',
        '[',
        ': ',
        '\n',
        '- ',
        '&a ',
        '*a',
        '../',
        '\u0000',
        '__proto__',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
      at.map((start) => sample.slice(start, start + 20)),
    ),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) =>
      changes.reduce(
        (text, { from, to, by }) =>
          text.slice(0, Math.min(from, to)) + by + text.slice(Math.max(from, to)),
        sample,
      ),
    );
}

function sri(byte: number): string {
  return `sha256-${Buffer.alloc(32, byte).toString('base64')}`;
}

const segment = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'a b',
    '$(x)',
    '\'"`',
    '100%',
    'x.drv',
    'ä',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
);
const path = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  .filter((text) => unsafeReason(text) === undefined);
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`, 'u'));
const name = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'outPath', '__toString', '__functor', 'type'),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}$/u),
);
const repo = fc.stringMatching(/^[a-z][a-z0-9]{0,5}\/[a-z][a-z0-9]{0,5}$/u);

const content: fc.Arbitrary<LockedFile> = fc.record(
  {
    size: fc.maxSafeNat(),
    hash: fc.nat(255).map(sri),
    oid: hex(40),
    lfs: fc.constant(true as const),
  },
  { requiredKeys: ['size', 'hash', 'oid'] },
);
const files = fc
  .array(fc.tuple(path, content), { maxLength: 5 })
  .map((all) => new Map(all.map(([key, file]) => [key, { ...file, ...pathNames(key) }])))
  .filter((all) => pathCollision(all.keys()) === undefined);
/** Texts that a lock can hold; the manifest refuses others. */
const isText = (text: string) => badTextReason(text) === undefined;
const texts = fc.array(fc.string({ unit: 'binary' }).filter(isText), {
  minLength: 1,
  maxLength: 3,
});
const ref = path.filter(isText);
const word = fc.string({ unit: 'binary', minLength: 1 }).filter(isText);
const words = fc.array(word, { minLength: 1, maxLength: 3 });
const entry: fc.Arbitrary<LockedEntry> = fc.record(
  {
    repo,
    requested: repo,
    version: fc.string().filter(isText),
    repoId: hex(24),
    ref,
    rev: hex(40),
    date: fc.constantFrom('2024-02-29T12:00:00.000Z', '0000-00-00T00:00:00Z'),
    license: words,
    licenseName: word,
    groups: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((all) => all.toSorted()),
    select: fc.record(
      {
        include: texts,
        exclude: texts,
        files: fc.array(path, { minLength: 1, maxLength: 3 }),
        format: fc.constantFrom('safetensors', 'openvino'),
        variant: fc.constant('fp16'),
        quant: fc.constant('UD-Q4_K_XL'),
        code: fc.constant(false as const),
      },
      { requiredKeys: [] },
    ),
    needs: fc.array(fc.record({ repo, ref, by: path }), { minLength: 1, maxLength: 3 }),
    files,
  },
  { requiredKeys: ['repo', 'ref', 'rev', 'files'] },
);
const needed = fc
  .array(entry, { maxLength: 3 })
  .map(
    (all) =>
      new Map(all.map((one) => [`models/${one.requested ?? one.repo}@${one.ref}`, one] as const)),
  );
const entries = fc.array(fc.tuple(name, entry), { maxLength: 3 }).map((all) => new Map(all));
const lock: fc.Arbitrary<Lock> = fc.record(
  {
    lockfileVersion: fc.constant(2 as const),
    endpoint: fc.constantFrom('https://hub.example', 'http://[::1]:80/a'),
    models: entries,
    datasets: entries,
    needed: needed.filter(({ size }) => size > 0),
  },
  { requiredKeys: ['lockfileVersion', 'models', 'datasets'] },
);
