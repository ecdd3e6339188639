import { describe, expect, it } from 'vitest';
import { createTaskRunner, createTransferRunner } from '../../src/cli/progress.ts';
import { createScreen, type Display } from '../../src/cli/terminal.ts';
import type { Transfer } from '../../src/output/tasks.ts';
import { collector } from '../support/collector.ts';

const displayOn = (stream: NodeJS.WriteStream, mode: Display['mode']): Display => ({
  screen: createScreen(stream),
  mode,
  paint: (_style, text) => text,
  hide: (text) => text,
  notice: () => [],
});

const FILES: readonly Transfer<number>[] = [
  { entry: 'models.m', title: 'a', size: 2_000_000, run: async () => 1 },
  { entry: 'models.n', title: 'b', size: 1, run: () => Promise.reject(new Error('no')) },
  { entry: 'models.m', title: 'c', size: 500_000, run: async () => 1 },
  { entry: 'models.o', title: 'd', size: 3_000, run: async () => 1 },
  { entry: 'models.o', title: 'e', size: 4_000, run: () => Promise.reject(new Error('no')) },
];

/** What is written while files are transferred. */
async function written(mode: Display['mode']): Promise<string[]> {
  const { stream, text } = collector();
  const results = await createTransferRunner(displayOn(stream, mode))(FILES);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
  return text().trimEnd().split('\n');
}

describe('transfers without a terminal', () => {
  it('are a line for each entry, when all of its files have ended', async () => {
    expect(await written('plain')).toEqual([
      'models.m: 2 files, 2.5 MB',
      'models.o: 1 of 2 files, 3 kB',
    ]);
  });

  it('are a line for each file with --verbose', async () => {
    expect(await written('verbose')).toEqual([
      'models.m a: 2 MB',
      'models.m c: 500 kB',
      'models.o d: 3 kB',
    ]);
  });

  it('are not shown with --quiet', async () => {
    expect(await written('silent')).toEqual(['']);
  });
});

describe('transfers on a terminal', () => {
  it('show the total and each file under way, then how many are done', async () => {
    const { stream, text } = collector();
    const display = displayOn(Object.assign(stream, { columns: 100, rows: 30 }), 'live');
    const untilShown = async (pattern: RegExp) => {
      while (!pattern.test(text())) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const results = await createTransferRunner(display)(
      [1, 2].map((number) => ({
        entry: 'models.m',
        title: `file ${number}`,
        size: 2_000_000,
        run: async (report) => {
          report('downloading', 0);
          await untilShown(new RegExp(`models\\.m {2}file ${number} {2}waiting\n`, 'u'));
          report('downloading', 500_000);
          await untilShown(new RegExp(`file ${number} {2}█+░+ .* 500 kB of 2 MB {3}25%`, 'u'));
          report('downloading', 1_500_000);
          await untilShown(/0 of 2 files {2}█+░+ .* 3 MB of 4 MB {3}75% .*MB\/s .*s left\n/u);
          report('adding to the store', 2_000_000);
          await untilShown(new RegExp(`file ${number} .* 100% {2}adding to the store\n`, 'u'));
          if (number === 2) throw new Error('no');
          return number;
        },
      })),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(text()).toMatch(/✖ 1 of 2 files, 2 MB\n$/u);
  });

  it('are not shown when there are none', async () => {
    const { stream, text } = collector();
    expect(await createTransferRunner(displayOn(stream, 'live'))([])).toEqual([]);
    expect(text()).toBe('');
  });
});

describe('tasks', () => {
  it('are a line each without a terminal, when they are done', async () => {
    const { stream, text } = collector();
    const results = await createTaskRunner(displayOn(stream, 'plain'))([
      {
        title: 'models.a',
        run: async (report) => {
          report('listing files');
          report('2 of 2 files');
          return 1;
        },
      },
      { title: 'models.b', run: () => Promise.reject(new Error('no')) },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(text()).toBe('models.a: 2 of 2 files\n');
  });
});
