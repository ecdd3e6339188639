import { describe, expect, it } from 'vitest';
import { type ErrorCode, HugError } from '../../src/errors.ts';
import { NotTried } from '../../src/store/not-tried.ts';
import { createPipeline } from '../../src/store/pipeline.ts';

/** How many of several works were begun. */
async function begun(outcomes: readonly (ErrorCode | 'done')[]): Promise<number> {
  const pipeline = createPipeline();
  let tried = 0;
  const results = await Promise.allSettled(
    outcomes.map((outcome) =>
      pipeline(async () => {
        tried += 1;
        if (outcome !== 'done') throw new HugError(outcome, outcome);
      }),
    ),
  );
  const passed = results.filter(
    (result) => result.status === 'rejected' && result.reason instanceof NotTried,
  );
  expect(tried + passed.length).toBe(outcomes.length);
  return tried;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('the pipeline', () => {
  it('goes on after what concerns one content', async () => {
    expect(await begun(times(200, 'EHUG_INTEGRITY'))).toBe(200);
  });

  it('begins nothing more where the surroundings are at fault', async () => {
    expect(await begun(['EHUG_DISK_FULL', ...times(200, 'done' as const)])).toBe(64);
  });

  it('begins nothing more when the Hub fails for one content after the other', async () => {
    expect(await begun(times(500, 'EHUG_HUB'))).toBeLessThan(100);
  });

  it('goes on when the Hub fails for many, but not for all', async () => {
    const mixed = times(100, ['done', ...times(15, 'EHUG_HUB' as const)] as const).flat();
    expect(await begun(mixed)).toBe(1_600);
  });
});
