import { describe, expect, it } from 'vitest';
import { type ErrorCode, HugError } from '../../src/errors.ts';
import { SkippedError } from '../../src/failures.ts';
import { createCircuitBreaker } from '../../src/copy/circuit-breaker.ts';

/** How many of several works were begun, and how many ended in an error of their own. */
async function outcomesOf(outcomes: readonly (ErrorCode | 'done')[]) {
  const pipeline = createCircuitBreaker();
  let begun = 0;
  const results = await Promise.allSettled(
    outcomes.map((outcome) =>
      pipeline(async () => {
        begun += 1;
        if (outcome !== 'done') throw new HugError(outcome, outcome);
      }),
    ),
  );
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const failed = reasons.filter((reason) => !(reason instanceof SkippedError));
  return { begun, failed: failed.length };
}

const begun = async (outcomes: readonly (ErrorCode | 'done')[]) =>
  (await outcomesOf(outcomes)).begun;

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('the pipeline', () => {
  it('goes on after what concerns one content', async () => {
    expect(await begun(times(200, 'EHUG_INTEGRITY'))).toBe(200);
  });

  it('begins nothing more where the surroundings are at fault', async () => {
    expect(await begun(['EHUG_DISK_FULL', ...times(200, 'done' as const)])).toBe(64);
  });

  describe.each(['EHUG_HUB', 'EHUG_NETWORK'] as const)('when %s', (code) => {
    it('comes for one content after the other, begins nothing more', async () => {
      expect(await begun(times(500, code))).toBeLessThan(100);
    });

    it('comes for one content after the other, tells of the first ones only', async () => {
      expect((await outcomesOf(times(500, code))).failed).toBe(16);
    });

    it('comes for many, but not for all, goes on', async () => {
      const mixed = times(100, ['done', ...times(15, code)] as const).flat();
      expect(await begun(mixed)).toBe(1_600);
    });
  });
});
