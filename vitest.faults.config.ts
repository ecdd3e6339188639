import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';
import { SLOW } from './vitest.slow.ts';

const { FAULT_SEED = String(randomInt(1_000_000)), FAULT_RUNS = '600' } = process.env;
console.log(`To repeat this: FAULT_SEED=${FAULT_SEED} FAULT_RUNS=${FAULT_RUNS} make test-faults`);

/** Commands under random faults and killed at random moments, parsers of random text, hostile files. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts', 'test/nix/lock-mutations.test.ts', ...SLOW],
    env: { FAULT_SEED, FAULT_RUNS },
    // Most of the time they wait for answers that do not come.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
