import { describe, expect, it } from 'vitest';
import {
  amountText,
  barText,
  createMeter,
  durationText,
  leftText,
  percentText,
  rateText,
} from '../../src/cli/byte-progress.ts';

describe('meter', () => {
  it('tells the rate of the last ten seconds', () => {
    const meter = createMeter();
    expect(meter.rate()).toBe(0);
    meter.note(1_000_000, 0);
    expect(meter.rate()).toBe(0);
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
    [0, '0 s'],
    [0.2, '1 s'],
    [89, '89 s'],
    [100, '2 min'],
    [3_600, '60 min'],
    [7_500, '2 h 5 min'],
  ])('writes %d s as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('figures', () => {
  const half = { bytes: 6_000_000, size: 12_000_000, rate: 2_000_000 };

  it('say how much is there, how fast it comes, and when all is there', () => {
    expect([amountText(half), percentText(half), rateText(half), leftText(half)]).toEqual([
      '6 MB of 12 MB',
      '50%',
      '2 MB/s',
      '3 s left',
    ]);
    expect(barText(half, 5)).toEqual(['██', '░░░']);
  });

  it('say nothing of a rate that is not known', () => {
    const progress = { ...half, rate: 0 };
    expect([rateText(progress), leftText(progress)]).toEqual(['', '']);
    expect(leftText({ ...half, rate: 1 })).toBe('');
  });

  it('show 100% when all is there, and not before', () => {
    expect(percentText({ bytes: 999_999, size: 1_000_000, rate: 0 })).toBe('99%');
    expect(percentText({ bytes: 0, size: 0, rate: 0 })).toBe('100%');
    const more = { bytes: 11, size: 10, rate: 0 };
    expect([percentText(more), ...barText(more, 3)]).toEqual(['100%', '███', '']);
  });
});
