import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { parseLock } from '../../src/lock/codec.ts';
import { readLockText } from '../../src/lock/file.ts';
import { mutatedLocks, VALID } from '../support/lock-mutations.ts';
import { describeNix, LIBRARY, nixString } from '../support/nix.ts';

const { FAULT_SEED = '1', FAULT_RUNS = '400' } = process.env;

/** Locks that one process of Nix reads. */
const BATCH = 50;

/** Whether the command line reads a lock. */
function isRead(file: string): boolean {
  try {
    parseLock(readLockText(file) ?? '', file);
    return true;
  } catch (error) {
    if (error instanceof HugError) return false;
    throw error;
  }
}

describeNix('Nix and the command line', (nix) => {
  /** Those of the locks that Nix reads. `tryEval` does not catch an error of `fromJSON`. */
  async function readByNix(files: readonly string[]): Promise<string[]> {
    const read = `(${LIBRARY} { pkgs = throw "pkgs was used"; }).readLock`;
    const list = files.map((file) => nixString(file)).join(' ');
    const isAccepted = `file: (builtins.tryEval (builtins.deepSeq (${read} file) true)).success`;
    const { status, stdout } = await nix().run(
      ...(['nix-instantiate', '--eval', '--strict', '--json', '--expr'] as const),
      `builtins.filter (${isAccepted}) [ ${list} ]`,
    );
    if (status === 0) return JSON.parse(stdout);
    if (files.length === 1) return [];
    const middle = Math.ceil(files.length / 2);
    const halves = [files.slice(0, middle), files.slice(middle)];
    return (await Promise.all(halves.map(readByNix))).flat();
  }

  it(
    `agree on ${FAULT_RUNS} random locks of FAULT_SEED=${FAULT_SEED}`,
    { timeout: 600_000 },
    async () => {
      const folder = path.join(nix().folder, 'locks');
      await mkdir(folder);
      const locks = mutatedLocks(Number(FAULT_SEED), Number(FAULT_RUNS));
      const files = locks.map((_, index) => path.join(folder, `${index}.json`));
      await Promise.all(files.map((file, index) => writeFile(file, locks[index] ?? '')));
      const byCommand = files.filter(isRead);
      // Locks that the command line reads are together, so that one that Nix cannot parse is found.
      const others = files.filter((file) => !byCommand.includes(file));
      const limit = pLimit(2);
      const batches = [byCommand, others].flatMap((all) =>
        Array.from({ length: Math.ceil(all.length / BATCH) }, (_, index) =>
          all.slice(index * BATCH, (index + 1) * BATCH),
        ),
      );
      const byNix = new Set(
        (await Promise.all(batches.map((batch) => limit(() => readByNix(batch))))).flat(),
      );
      const differing = files.filter((file) => byNix.has(file) !== byCommand.includes(file));
      const lines = new Set(VALID.split('\n'));
      const texts = differing.map((file) => ({
        isReadByNix: byNix.has(file),
        changed: locks[files.indexOf(file)]
          ?.toString()
          .split('\n')
          .filter((line) => !lines.has(line)),
      }));
      expect(texts).toEqual([]);
      // Both verdicts are there.
      expect(byCommand.length).toBeGreaterThan(files.length / 20);
      expect(byCommand.length).toBeLessThan(files.length / 2);
    },
  );
});
