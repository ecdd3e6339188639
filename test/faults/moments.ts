import fc from 'fast-check';

/** A moment to kill a command at. */
interface Moment {
  /** How much of its work is done. */
  readonly percent: number;
  /** Milliseconds to wait then. */
  readonly wait: number;
}

/** Random moments, which `FAULT_SEED` decides. */
export const randomMoments = (count: number): Moment[] =>
  fc.sample(fc.noBias(fc.record({ percent: fc.nat(100), wait: fc.nat(300) })), {
    seed: Number(process.env['FAULT_SEED']),
    numRuns: count,
  });
