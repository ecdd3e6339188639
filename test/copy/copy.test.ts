import { describe, expect, it } from 'vitest';
import { type ErrorCode, HugError } from '../../src/errors.ts';
import { createCircuitBreaker, SkippedError } from '../../src/copy/copy.ts';

/** How many of several works began, and how many ended in an error of their own. */
async function outcomesOf(outcomes: readonly (ErrorCode | 'done')[]) {
  const breaker = createCircuitBreaker();
  let begun = 0;
  const results = await Promise.allSettled(
    outcomes.map((outcome) =>
      breaker(async () => {
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

describe('the circuit breaker', () => {
  it('goes on after an error of one blob', async () => {
    expect(await begun(times(200, 'EHUG_INTEGRITY'))).toBe(200);
  });

  it('skips the others after a fatal error', async () => {
    expect(await begun(['EHUG_DISK_FULL', ...times(200, 'done' as const)])).toBe(64);
  });

  describe.each(['EHUG_HUB', 'EHUG_NETWORK'] as const)('when %s', (code) => {
    it('hits one blob after the other, skips the others', async () => {
      expect(await begun(times(500, code))).toBeLessThan(100);
    });

    it('hits one blob after the other, reports the first ones only', async () => {
      expect((await outcomesOf(times(500, code))).failed).toBe(16);
    });

    it('hits many, but not all, goes on', async () => {
      const mixed = times(100, ['done', ...times(15, code)] as const).flat();
      expect(await begun(mixed)).toBe(1_600);
    });
  });
});
