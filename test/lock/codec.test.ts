import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { EMPTY_LOCK, formatLock, parseLock } from '../../src/lock/codec.ts';
import { pathNames } from '../../src/lock/names.ts';
import endpoints from '../fixtures/endpoints.json' with { type: 'json' };
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const FULL = `{
  "lockfileVersion": 2,
  "endpoint": "https://hub.example",
  "models": {
    "Zeta": {
      "repo": "org/name",
      "ref": "main",
      "rev": "cccccccccccccccccccccccccccccccccccccccc",
      "files": {
        "config.json": { "size": 3, "hash": "sha256-YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", "oid": "6161616161616161616161616161616161616161" }
      }
    },
    "alpha": {
      "repo": "openai-community/gpt2",
      "requested": "gpt2",
      "repoId": "621ffdc036468d709f174338",
      "version": "^1.2",
      "ref": "v1.3.0",
      "rev": "cccccccccccccccccccccccccccccccccccccccc",
      "date": "2024-02-29T12:00:00.000Z",
      "license": ["other", "mit"],
      "licenseName": "Llama 3.2 ä",
      "groups": ["Dev", "gpu"],
      "select": { "include": ["*.bin", "x/"], "exclude": ["y*"], "format": "safetensors", "variant": "fp16", "code": false },
      "needs": [{ "repo": "gpt2", "ref": "main", "by": "config.json" }, { "repo": "org/base", "ref": "v1", "by": "a/adapter_config.json" }],
      "files": {
        ".b ä": { "size": 3, "hash": "sha256-YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", "oid": "6161616161616161616161616161616161616161", "storeName": "_b_", "url": ".b%20%C3%A4" },
        "Z": { "size": 0, "hash": "sha256-YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=", "oid": "6262626262626262626262626262626262626262", "lfs": true },
        "a": { "size": 3, "hash": "sha256-YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", "oid": "6161616161616161616161616161616161616161" }
      }
    }
  },
  "datasets": {},
  "needed": {
    "models/gpt2@main": {
      "repo": "openai-community/gpt2",
      "requested": "gpt2",
      "ref": "main",
      "rev": "cccccccccccccccccccccccccccccccccccccccc",
      "select": { "quant": "Q4_K_M" },
      "files": {
        "config.json": { "size": 3, "hash": "sha256-YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", "oid": "6161616161616161616161616161616161616161" }
      }
    },
    "models/org/base@v1": {
      "repo": "org/base",
      "ref": "v1",
      "rev": "cccccccccccccccccccccccccccccccccccccccc",
      "files": {}
    }
  }
}
`;

const full = lockOf(
  {
    alpha: lockedEntry({
      repo: 'openai-community/gpt2',
      requested: 'gpt2',
      version: '^1.2',
      ref: 'v1.3.0',
      repoId: '621ffdc036468d709f174338',
      date: '2024-02-29T12:00:00.000Z',
      license: ['other', 'mit'],
      licenseName: 'Llama 3.2 ä',
      groups: ['gpu', 'Dev'],
      needs: [
        { by: 'config.json', ref: 'main', repo: 'gpt2' },
        { by: 'a/adapter_config.json', ref: 'v1', repo: 'org/base' },
      ],
      select: {
        code: false,
        variant: 'fp16',
        format: 'safetensors',
        exclude: ['y*'],
        include: ['*.bin', 'x/'],
      },
      files: new Map([
        ['a', lockedFile('a')],
        ['Z', lockedFile('b', { lfs: true, size: 0 })],
        ['.b ä', lockedFile('a', { url: '.b%20%C3%A4', storeName: '_b_' })],
      ]),
    }),
    Zeta: lockedEntry(),
  },
  {
    endpoint: 'https://hub.example',
    needed: new Map([
      ['models/org/base@v1', lockedEntry({ repo: 'org/base', ref: 'v1', files: new Map() })],
      [
        'models/gpt2@main',
        lockedEntry({
          repo: 'openai-community/gpt2',
          requested: 'gpt2',
          select: { quant: 'Q4_K_M' },
        }),
      ],
    ]),
  },
);

function problem(run: () => unknown): HugError {
  try {
    run();
  } catch (error) {
    if (error instanceof HugError) return error;
    throw error;
  }
  throw new Error('expected a HugError');
}

describe('canonical text', () => {
  it('has the documented key order, sorting and line breaks', () => {
    expect(formatLock(full)).toBe(FULL);
  });

  it('is the inverse of reading', () => {
    expect(formatLock(parseLock(FULL, 'hug.lock.json'))).toBe(FULL);
  });

  it('has the version that the lock has, and leaves an empty list of needed entries out', () => {
    const lock = lockOf({ m: lockedEntry() });
    const text = formatLock({ ...lock, lockfileVersion: 1, needed: new Map() });
    expect(text).toBe(formatLock(lock).replace('"lockfileVersion": 2', '"lockfileVersion": 1'));
    expect(parseLock(text, 'hug.lock.json').lockfileVersion).toBe(1);
  });

  it('writes an empty lock', () => {
    expect(formatLock(lockOf({}))).toBe(
      '{\n  "lockfileVersion": 2,\n  "models": {},\n  "datasets": {}\n}\n',
    );
  });

  it('does not depend on the order of entries and files', () => {
    const paths = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9ä_-]{1,8}$/u), { minLength: 1 });
    fc.assert(
      fc.property(paths, fc.infiniteStream(fc.nat()), (names, random) => {
        const entries = names.map((name) => [name, lockedFile('a', pathNames(name))] as const);
        const shuffled = entries
          .map((entry) => [random.next().value, entry] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, entry]) => entry);
        const text = (files: typeof entries) =>
          formatLock(lockOf({ m: lockedEntry({ files: new Map(files) }) }));
        expect(text(shuffled)).toBe(text(entries));
        expect(formatLock(parseLock(text(entries), 'lock'))).toBe(text(entries));
      }),
    );
  });

  it('keeps files and entries whose names are special in JavaScript', () => {
    const files = ['__proto__', 'constructor', 'prototype', 'toString'].map(
      (name) => [name, lockedFile()] as const,
    );
    const lock = lockOf(
      {},
      { models: new Map([['__proto__', lockedEntry({ files: new Map(files) })]]) },
    );
    const read = parseLock(formatLock(lock), 'lock');
    expect([...(read.models.get('__proto__')?.files.keys() ?? [])].toSorted()).toEqual(
      files.map(([name]) => name).toSorted(),
    );
    expect(formatLock(read)).toBe(formatLock(lock));
  });
});

describe('a storeName or url', () => {
  it.each([
    FULL.replace('"_b_"', '"other"'),
    FULL.replace('".b%20%C3%A4"', '"other/x%20y"'),
    FULL.replace('"lfs": true', '"lfs": true, "storeName": "Z", "url": "Z"'),
  ])('may differ from what the path gives, and is kept (%#)', (text) => {
    expect(text).not.toBe(FULL);
    expect(formatLock(parseLock(text, 'hug.lock.json'))).toBe(text);
  });
});

describe('the endpoint of a lock', () => {
  const withEndpoint = (endpoint: string) => formatLock({ ...EMPTY_LOCK, endpoint });

  it.each(endpoints.accepted)('may be %j', (endpoint) => {
    expect(parseLock(withEndpoint(endpoint), 'lock').endpoint).toBe(endpoint);
  });

  it.each(endpoints.rejected)('cannot be %j', (endpoint) => {
    expect(problem(() => parseLock(withEndpoint(endpoint), 'lock')).details).toEqual([
      'endpoint: is not an http or https address',
    ]);
  });
});

describe('refused locks', () => {
  it.each([
    ['', 'Unexpected end of JSON input'],
    ['[]', 'must be an object'],
    ['null', 'must be an object'],
    [FULL.replace('"repo": "org/name",', ''), 'models.Zeta.repo'],
    [FULL.replace('"lockfileVersion": 2', '"lockfileVersion": 0'), 'lockfileVersion'],
    [FULL.replace('"ref": "main"', '"ref": "../main"'), 'has a ".." segment'],
    [FULL.replace('"config.json"', '"../config.json"'), 'has a ".." segment'],
    [FULL.replace('"config.json"', '"/config.json"'), 'is absolute'],
    [FULL.replace('"config.json"', '"a\\u0000b"'), 'has a NUL character'],
    [FULL.replace('"config.json"', '"a\\u0001b"'), 'control character'],
    [FULL.replace('"Z"', '"a/b"'), 'is both a file and a folder'],
    [FULL.replace('".b%20%C3%A4"', '"a/../x"'), 'percent-encoded'],
    [FULL.replace('".b%20%C3%A4"', '"a?b"'), 'percent-encoded'],
    [FULL.replace('"_b_"', '"../b"'), 'store path name'],
    [FULL.replace('".b%20%C3%A4"', '"%2E%2E/x"'), 'percent-encoded'],
    [FULL.replace('".b%20%C3%A4"', '".b%20%c3%a4"'), 'percent-encoded'],
    [FULL.replace('"_b_"', '"b.drv"'), 'store path name'],
    [FULL.replace(/, "storeName": "_b_"/u, ''), 'models.alpha.files: ".b ä" needs a storeName'],
    [FULL.replace(/, "url": "[^"]*"/u, ''), 'models.alpha.files: ".b ä" needs a url'],
    [FULL.replace('"alpha"', '"al pha"'), 'entry name'],
    [FULL.replace('"size": 0', '"size": -1'), 'size'],
    [FULL.replace('"size": 0', '"size": 0.5'), 'size: Invalid safe integer'],
    [FULL.replace('"size": 0', '"size": 9007199254740992'), 'size'],
    [FULL.replace('sha256-Y', 'sha1-Y'), 'SHA-256'],
    [FULL.replace('"lfs": true', '"lfs": false'), 'lfs'],
    [FULL.replace('"ref": "v1.3.0"', '"refs": "v1.3.0"'), 'refs'],
    [FULL.replace('"ref": "v1"', '"ref": "../v1"'), 'has a ".." segment'],
    [
      FULL.replace('"models/gpt2@main"', '"models/gpt2"'),
      'needed.models/gpt2: is not models/gpt2@main',
    ],
    [FULL.replace('Version": 2', 'Version": 1'), 'models.alpha.license needs lockfileVersion 2'],
    [FULL.replace(/"hash": "[^"]*", /u, ''), 'models.Zeta.files.config.json.hash'],
  ])('%#', (text, detail) => {
    const error = problem(() => parseLock(text, 'hug.lock.json'));
    expect(error.code).toBe('EHUG_LOCK_INVALID');
    expect(error.exitStatus).toBe(2);
    expect(error.details.join('\n')).toContain(detail);
  });

  it('never echoes the text of the file', () => {
    const error = problem(() => parseLock('{"models": hf_secret_token}', 'hug.lock.json'));
    expect([error.message, ...error.details].join()).not.toContain('hf_secret');
  });

  it('names a newer format and what to do', () => {
    const newer = FULL.replace('"lockfileVersion": 2', '"lockfileVersion": 3');
    const error = problem(() => parseLock(newer, 'hug.lock.json'));
    expect(error.code).toBe('EHUG_LOCK_NEWER');
    expect(error.hint).toContain('Upgrade');
  });
});
