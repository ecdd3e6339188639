import { describe, expect, it } from 'vitest';
import { createMeter, durationText } from '../../src/cli/meter.ts';

describe('meter', () => {
  it('tells the rate of the last ten seconds', () => {
    const meter = createMeter();
    expect(meter.rate()).toBeUndefined();
    meter.note(1_000_000, 0);
    expect(meter.rate()).toBeUndefined();
    meter.note(1_002_000, 1_000);
    expect(meter.rate()).toBe(2_000);
    meter.note(1_102_000, 11_000);
    expect(meter.rate()).toBe(10_000);
  });

  it('has no negative rate when a download starts again', () => {
    const meter = createMeter();
    meter.note(1_000, 0);
    meter.note(0, 1_000);
    expect(meter.rate()).toBe(0);
  });

  it.each([
    [0.2, '1 s'],
    [89, '89 s'],
    [100, '2 min'],
    [3_600, '60 min'],
    [7_500, '2 h 5 min'],
  ])('writes %d s as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
