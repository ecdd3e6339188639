import { describe, expect, it } from 'vitest';
import type { Display } from '../../src/cli/screen.ts';
import { createScreen } from '../../src/cli/screen.ts';
import { createTransferRunner } from '../../src/cli/transfers.ts';
import type { Transfer } from '../../src/output/tasks.ts';
import { collector } from '../support/collector.ts';

const runner = (stream: NodeJS.WriteStream, mode: Display['mode']) =>
  createTransferRunner({
    screen: createScreen(stream),
    mode,
    color: false,
    hide: (text: string) => text,
    notice: () => undefined,
  });

/** Transfers that wait until the display has shown them, the last of which fails. */
function transfers(shown: () => string): Transfer<number>[] {
  const untilShown = async (words: string) => {
    while (!shown().includes(words)) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return [1, 2].map((number) => ({
    entry: 'models.m',
    title: `file ${number}`,
    size: 2_000_000,
    run: async (report) => {
      report('downloading', 500_000);
      await untilShown(`file ${number}: downloading, 500 kB of 2 MB`);
      report('downloading', 1_500_000);
      await untilShown('3 MB of 4 MB');
      if (number === 2) throw new Error('no');
      return number;
    },
  }));
}

describe('transfers', () => {
  it('are shown live with the total, the rate and the time left', async () => {
    const { stream, text } = collector();
    const runTransfers = runner(Object.assign(stream, { columns: 100, rows: 30 }), 'live');
    const results = await runTransfers(transfers(text));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(text()).toMatch(/0 of 2 files, [\d.]+ MB of 4 MB/u);
    expect(text()).toMatch(/MB\/s, \d+ s left/u);
    expect(text()).toContain('1 of 2 files, 2 MB');
  });

  it('are plain lines elsewhere, for those that are done', async () => {
    const { stream, text } = collector();
    const runTransfers = runner(stream, 'plain');
    await runTransfers([
      { entry: 'models.m', title: 'a', size: 2_000_000, run: async () => 1 },
      { entry: 'models.m', title: 'b', size: 1, run: () => Promise.reject(new Error('no')) },
    ]);
    expect(text()).toBe('models.m a: 2 MB\n');
  });

  it('are not shown at all when it shall be quiet', async () => {
    const { stream, text } = collector();
    await runner(
      stream,
      'silent',
    )([{ entry: 'models.m', title: 'a', size: 1, run: async () => 1 }]);
    expect(text()).toBe('');
  });
});
