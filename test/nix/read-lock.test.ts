import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { pathNames } from '../../src/lock/names.ts';
import type { LockedFile } from '../../src/lock/schema.ts';
import { isRepoId } from '../../src/repo.ts';
import { unsafeReason } from '../../src/safe-path.ts';
import endpoints from '../fixtures/endpoints.json' with { type: 'json' };
import invalid from '../fixtures/lock/invalid.json' with { type: 'json' };
import { conflictedByGit } from '../support/git-conflict.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures', 'lock', 'valid');
const VALID = await readdir(FIXTURES);

/** Reading must not need anything of `pkgs`. */
const READ = `(${LIBRARY} { pkgs = throw "pkgs was used"; }).readLock`;

/** Every text of at most so many of these parts. */
function upTo(length: number, parts: readonly string[]): string[] {
  if (length === 0) return [''];
  return ['', ...upTo(length - 1, parts).flatMap((text) => parts.map((part) => part + text))];
}

/** Whether the command line reads a lock with this file. */
function isRead(file: LockedFile): boolean {
  try {
    const entry = lockedEntry({ files: new Map([['a', file]]) });
    parseLock(formatLock(lockOf({ m: entry })), 'hug.lock.json');
    return true;
  } catch {
    return false;
  }
}

describeNix('readLock', (nix) => {
  const written = async (text: string) => {
    const file = path.join(nix().folder, 'hug.lock.json');
    await writeFile(file, text);
    return nixString(file);
  };
  const everything = (lock: string) => `let read = ${READ} ${lock}; in builtins.deepSeq read`;
  const refusal = async (text: string) => {
    const file = await written(text);
    return nix().evaluationError(`${everything(file)} true`);
  };

  describe.each(VALID)('%s', (name) => {
    const file = path.join(FIXTURES, name);

    it('is what both readers make of it', async () => {
      const text = await readFile(file, 'utf8');
      expect(formatLock(parseLock(text, name))).toBe(text);
      const plain = `builtins.fromJSON (builtins.readFile ${nixString(file)})`;
      expect(
        await nix().evaluate(
          `let plain = ${plain}; check = lock: ${everything('lock')} (read == plain);
          in [ (check ${nixString(file)}) (check plain) (check (/. + ${nixString(file)})) ]`,
        ),
      ).toEqual([true, true, true]);
    });
  });

  it('gives a lock of version 1 the store paths of version 2', async () => {
    const entry = lockedEntry({ repoId: 'd'.repeat(24), license: ['mit'], groups: ['gpu'] });
    const locks = [
      lockOf({ m: lockedEntry() }, { lockfileVersion: 1 }),
      lockOf({ m: lockedEntry() }),
      lockOf({ m: entry }),
    ];
    const paths = locks.map((lock) => {
      const imported = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock (builtins.fromJSON ${nixString(formatLock(lock))})`;
      return `(let hug = ${imported}; in [ hug.models.m.outPath hug.cache.outPath ])`;
    });
    const [old, ...others] = (await nix().evaluate(`[ ${paths.join(' ')} ]`)) as string[][];
    expect(old).toEqual([expect.stringMatching(/name$/u), expect.stringMatching(/cache$/u)]);
    expect(others).toEqual([old, old]);
  });

  it.each(invalid)('and the command line refuse $name', async ({ lock, reason }) => {
    const text = JSON.stringify(lock);
    const message = await refusal(text);
    expect(message).toContain('nix-hug: hug.lock.json: ');
    expect(message).toContain(reason);
    expect(message).toMatch(/upgrade nix-hug|run `nix-hug lock`/u);
    expect(() => parseLock(text, 'hug.lock.json')).toThrow(HugError);
  });

  it.each([
    { key: 'repo', parts: ['a', '_', '.', '-', '/', 'git'], isRight: isRepoId },
    {
      key: 'files',
      parts: ['a', 'ü', '.', '/', ':', '\\', '\n', '\u007f'],
      isRight: (text: string) => unsafeReason(text) === undefined,
    },
    {
      key: 'storeName',
      parts: ['a', '.', '.drv', '+', '/', ' ', 'ü', '\n'],
      isRight: (storeName: string) => isRead(lockedFile('a', { storeName })),
    },
    {
      key: 'url',
      parts: ['a', '.', '/', '%', '2E', '%2E', '%C3', '%c3', ' '],
      isRight: (url: string) => isRead(lockedFile('a', { url })),
    },
  ])('and the command line agree on $key made of $parts', async ({ key, parts, isRight }) => {
    const texts = upTo(4, parts);
    const file = path.join(nix().folder, 'texts.json');
    const values = texts.map((text) => ({ text, file: lockedFile('a', pathNames(text)) }));
    await writeFile(file, JSON.stringify(values));
    const lock = nixString(formatLock(lockOf({ m: lockedEntry() })));
    const accepted = await nix().evaluate(`
      let
        lock = builtins.fromJSON ${lock};
        change = { text, file }: {
          repo.repo = text;
          files.files.\${text} = file;
          storeName.files.a = lock.models.m.files."config.json" // { storeName = text; };
          url.files.a = lock.models.m.files."config.json" // { url = text; };
        }.${key};
        changed = value: lock // { models.m = lock.models.m // change value; };
        isAccepted = value: (builtins.tryEval (${everything('(changed value)')} true)).success;
        values = builtins.fromJSON (builtins.readFile ${nixString(file)});
      in
      map (value: value.text) (builtins.filter isAccepted values)`);
    expect(accepted).toEqual(texts.filter(isRight));
  });

  it('and the command line agree on endpoints', async () => {
    const file = path.join(nix().folder, 'endpoints.json');
    await writeFile(file, JSON.stringify(endpoints));
    const accepted = await nix().evaluate(`
      let
        table = builtins.fromJSON (builtins.readFile ${nixString(file)});
        lock = endpoint: { inherit endpoint; lockfileVersion = 1; models = { }; datasets = { }; };
        isAccepted = text: (builtins.tryEval (${everything('(lock text)')} true)).success;
      in
      builtins.filter isAccepted (table.accepted ++ table.rejected)`);
    expect(accepted).toEqual(endpoints.accepted);
  });

  it('says where the first problem is, and what it is', async () => {
    const files = new Map(['a', 'b', 'c'].map((name) => [name, lockedFile()]));
    const lock = lockOf({ good: lockedEntry(), bad: lockedEntry({ files }) });
    const text = formatLock(lock).replace(/("b": .*)sha256-/u, '$1sha512-');
    expect(await refusal(text)).toContain(
      'nix-hug: hug.lock.json: models.bad: files."b": hash is not a SHA-256 in SRI form; ' +
        'restore the lock from version control, or delete it and run `nix-hug lock`',
    );
  });

  it.each([
    ['a b', {}, 'needs a storeName'],
    ['.a', {}, 'needs a storeName'],
    ['n'.repeat(208), {}, 'needs a storeName'],
    ['a b', { storeName: 'a_b' }, 'needs a url'],
    ['a+b', {}, 'needs a url'],
    ['100%', { storeName: '100_' }, 'needs a url'],
    ['x.drv', {}, 'needs a storeName'],
    ['a', { storeName: '.a' }, 'storeName is not a store path name'],
    ['a', { storeName: 'a.drv' }, 'storeName is not a store path name'],
    ['a b', { storeName: 'a_b', url: 'a b' }, 'url is not a percent-encoded path'],
    ['a b', { storeName: 'a_b', url: '../x' }, 'url is not a percent-encoded path'],
    ['a b', { storeName: 'a_b', url: '%2E%2E/x' }, 'url is not a percent-encoded path'],
    ['ä', { storeName: '_', url: '%c3%a4' }, 'url is not a percent-encoded path'],
  ])('asks for what Nix needs to fetch %s', async (name, over, problem) => {
    const files = new Map([[name, lockedFile('a', over)]]);
    const lock = formatLock(lockOf({ m: lockedEntry({ files }) }));
    expect(await refusal(lock)).toContain(`models.m: files."${name}": ${problem};`);
  });

  it.each(['d/a b', 'd/x.drv', 'd/.a', 'd/ä', 'd/', `d/${'n'.repeat(208)}`, 'd/a/b'])(
    'finds %j among valid files of the same folder',
    async (name) => {
      const files = ['d/a', 'd/b.bin', name, 'd/c.csv'].map(
        (file) => [file, lockedFile()] as const,
      );
      const text = formatLock(lockOf({ m: lockedEntry({ files: new Map(files) }) }));
      expect(await refusal(text)).toContain(`models.m: files.${JSON.stringify(name)}: `);
      expect(() => parseLock(text, 'hug.lock.json')).toThrow(HugError);
    },
  );

  it('checks an entry only when it is used', async () => {
    const bad = lockedEntry({ rev: 'main' });
    const file = await written(formatLock(lockOf({ good: lockedEntry(), bad })));
    expect(await nix().evaluate(`(${READ} ${file}).models.good.repo`)).toBe('org/name');
    expect(await nix().evaluationError(`(${READ} ${file}).models.bad.repo`)).toContain(
      'models.bad',
    );
  });

  it('refuses a lock of a newer nix-hug, whatever it holds', async () => {
    expect(await refusal('{ "lockfileVersion": 3, "lock": [] }')).toContain(
      'nix-hug: hug.lock.json: lockfileVersion 3 is newer than this nix-hug, which reads up to 2; ' +
        'upgrade nix-hug',
    );
  });

  it.each(['merge', 'diff3'] as const)('names a %s conflict that git left', async (style) => {
    const sides = ['a', 'b', 'c'].map((digit) =>
      formatLock(lockOf({ m: lockedEntry({ rev: digit.repeat(40) }) })),
    );
    const message = 'has conflict markers; run `nix-hug lock` to repair it';
    const conflict = await conflictedByGit(style, sides);
    expect(await refusal(conflict)).toContain(message);
    expect(await refusal(conflict.slice(conflict.indexOf('<<<<<<<')))).toContain(message);
  });

  it('refuses a path with a NUL character, which Nix 2.8 would cut', async () => {
    const lock = formatLock(lockOf({ m: lockedEntry() })).replace('config', String.raw`a\u0000/..`);
    expect(await refusal(lock)).toMatch(/NUL character|null byte/u);
  });
});
