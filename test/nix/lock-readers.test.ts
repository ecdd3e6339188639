import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { readLockText } from '../../src/lock/file.ts';
import readers from '../fixtures/lock/readers.json' with { type: 'json' };
import { lockedEntry, lockOf } from '../support/locks.ts';
import { tempFolder } from '../support/temp.ts';
import { describeNix, LIBRARY, nixString } from '../support/nix.ts';

/** A change of a valid lock; `from` is replaced wherever it stands, and `*` is the whole text. */
interface Case {
  readonly name: string;
  /** Whether both readers read it. */
  readonly read: boolean;
  readonly from: string;
  readonly to: string;
  /** Text that follows `to` so many times, before `end`. */
  readonly repeat?: string;
  readonly times?: number;
  readonly end?: string;
  readonly encoding?: string;
}

const CASES: readonly Case[] = readers;
const VALID = formatLock(lockOf({ m: lockedEntry() }));

function bytesOf({ from, to, repeat = '', times = 0, end = '', encoding }: Case): Buffer {
  const change = to + repeat.repeat(times) + end;
  if (from !== '*') expect(VALID).toContain(from);
  const text = from === '*' ? change : VALID.replaceAll(from, change);
  return Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf8');
}

describe('the command line reads a lock with', () => {
  it.each(CASES)('$name: $read', async (row) => {
    const file = path.join(await tempFolder(), 'hug.lock.json');
    await writeFile(file, bytesOf(row));
    const read = () => parseLock(readLockText(file) ?? '', file);
    if (row.read) expect(read().models.size).toBe(1);
    else expect(read).toThrow(HugError);
  });
});

describeNix('Nix reads a lock with', (nix) => {
  it.each(CASES)('$name: $read', async (row) => {
    const file = path.join(nix().folder, 'hug.lock.json');
    await writeFile(file, bytesOf(row));
    const lock = `(${LIBRARY} { pkgs = throw "pkgs was used"; }).readLock ${nixString(file)}`;
    const expression = `builtins.deepSeq (${lock}) true`;
    if (row.read) {
      expect(await nix().evaluate(expression)).toBe(true);
      return;
    }
    const message = await nix().evaluationError(expression);
    expect(message).toMatch(/^error:/mu);
    expect(message).not.toContain('stack overflow');
  });
});
