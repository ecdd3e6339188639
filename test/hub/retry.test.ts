import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { requestedWaitMs, TransientFault, type Wait, withRetries } from '../../src/hub/retry.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

describe('wait that a server requests', () => {
  it.each([
    [{}, undefined],
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ ratelimit: '"resolvers";r=0;t=172' }, 173_000],
    [{ ratelimit: '"resolvers";r=12;t=172' }, undefined],
    [{ 'retry-after': '3', ratelimit: '"api";r=0;t=172' }, 3_000],
  ])('%o', (headers, expected) => {
    expect(requestedWaitMs(headers, now)).toBe(expected);
  });
});

describe('retries', () => {
  const policy = { retries: 3, baseMs: 1, longestWaitMs: 50 };
  const fault = (waitMs?: number) =>
    new TransientFault(new HugError('EHUG_NETWORK', 'connection failed'), waitMs);

  const failing = (times: number, error: Error) => {
    let tries = 0;
    return async () => {
      tries += 1;
      if (tries <= times) throw error;
      return tries;
    };
  };

  it('continue after transient faults, and announce each wait', async () => {
    const waits: Wait[] = [];
    const tries = await withRetries(failing(3, fault()), policy, (wait) => waits.push(wait));
    expect(tries).toBe(4);
    expect(waits.map(({ reason }) => reason)).toEqual(Array(3).fill('connection failed'));
    for (const [index, { ms }] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(2 ** index / 2);
      expect(ms).toBeLessThanOrEqual(2 ** index);
    }
  });

  it('count from zero after progress', async () => {
    const attempt = failing(9, fault());
    const tries = await withRetries(
      async (progressed) => {
        progressed();
        return attempt();
      },
      policy,
      () => {},
    );
    expect(tries).toBe(10);
  });

  it('wait as long as the server requests', async () => {
    const waits: Wait[] = [];
    await withRetries(failing(1, fault(20)), policy, (wait) => waits.push(wait));
    expect(waits).toEqual([{ reason: 'connection failed', ms: 20 }]);
  });

  it('back off when the requested time has passed already', async () => {
    const waits: Wait[] = [];
    await withRetries(failing(3, fault(0)), policy, (wait) => waits.push(wait));
    for (const [index, { ms }] of waits.entries())
      expect(ms).toBeGreaterThanOrEqual(2 ** index / 2);
    expect(waits).toHaveLength(3);
  });

  it('end in the final error after the last one', async () => {
    await expect(withRetries(failing(4, fault()), policy, () => {})).rejects.toEqual(
      expect.objectContaining({ code: 'EHUG_NETWORK' }),
    );
  });

  it('do not wait longer than the limit', async () => {
    const waits: Wait[] = [];
    const run = withRetries(failing(1, fault(51)), policy, (wait) => waits.push(wait));
    await expect(run).rejects.toThrow('connection failed');
    expect(waits).toEqual([]);
  });

  it('throw every other error at once', async () => {
    const error = new HugError('EHUG_GATED', 'gated');
    await expect(withRetries(failing(1, error), policy, () => {})).rejects.toBe(error);
  });

  it('end when they are interrupted in a wait', async () => {
    const controller = new AbortController();
    const run = withRetries(
      failing(1, fault(40)),
      policy,
      () => controller.abort(),
      controller.signal,
    );
    await expect(run).rejects.toThrow('aborted');
  });
});
