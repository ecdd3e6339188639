import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import { requestedWaitMs, TransientFault, type Wait, withRetries } from '../../src/hub/retry.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

describe('wait that a server asks for', () => {
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

  it('goes on after faults that pass, and tells each wait', async () => {
    const waits: Wait[] = [];
    const tries = await withRetries(failing(3, fault()), policy, (wait) => waits.push(wait));
    expect(tries).toBe(4);
    expect(waits.map(({ reason }) => reason)).toEqual(Array(3).fill('connection failed'));
    for (const [index, { ms }] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(2 ** index / 2);
      expect(ms).toBeLessThanOrEqual(2 ** index);
    }
  });

  it('counts anew after progress', async () => {
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

  it('waits as long as the server asks', async () => {
    const waits: Wait[] = [];
    await withRetries(failing(1, fault(20)), policy, (wait) => waits.push(wait));
    expect(waits).toEqual([{ reason: 'connection failed', ms: 20 }]);
  });

  it('backs off from a server that asks for no wait, as by the clock of another', async () => {
    const waits: Wait[] = [];
    await withRetries(failing(3, fault(0)), policy, (wait) => waits.push(wait));
    for (const [index, { ms }] of waits.entries())
      expect(ms).toBeGreaterThanOrEqual(2 ** index / 2);
    expect(waits).toHaveLength(3);
  });

  it('ends in the final error when the tries are used up', async () => {
    await expect(withRetries(failing(4, fault()), policy, () => {})).rejects.toEqual(
      expect.objectContaining({ code: 'EHUG_NETWORK' }),
    );
  });

  it('does not wait longer than it is willing to', async () => {
    const waits: Wait[] = [];
    const run = withRetries(failing(1, fault(51)), policy, (wait) => waits.push(wait));
    await expect(run).rejects.toThrow('connection failed');
    expect(waits).toEqual([]);
  });

  it('throws everything else at once', async () => {
    const error = new HugError('EHUG_GATED', 'gated');
    await expect(withRetries(failing(1, error), policy, () => {})).rejects.toBe(error);
  });

  it('ends when it is interrupted while it waits', async () => {
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
