import { describe, expect, it } from 'vitest';
import { type Canvas, frameOf, taskLines, type TaskRow } from '../../src/cli/frame.ts';
import {
  type TransferRow,
  transferLines,
  type TransferTotal,
} from '../../src/cli/transfer-lines.ts';

const canvas = (columns: number, rows: number): Canvas => ({
  columns,
  rows,
  paint: (_style, text) => text,
  icon: (state) => ({ waiting: '◼', running: '⠋', done: '✔', failed: '✖' })[state],
});

const task = (title: string, status = 'listing files', state: TaskRow['state'] = 'running') => ({
  title,
  status,
  state,
});

describe('tasks', () => {
  it('have their statuses in one column', () => {
    expect(
      taskLines([task('models.a'), task('models.long-name', '4 files', 'done')], canvas(60, 9)),
    ).toEqual(['⠋ models.a          listing files', '✔ models.long-name  4 files']);
  });

  it('have whole titles: the status gives way, and then the terminal wraps the line', () => {
    const long = 'models.a-name-that-is-longer-than-the-window';
    expect(taskLines([task('models.a'), task(long)], canvas(40, 9))).toEqual([
      '⠋ models.a  listing files',
      `⠋ ${long}`,
    ]);
  });

  it('that do not fit are those that failed and run, below how many are done', () => {
    const tasks = [
      task('models.a', '', 'done'),
      task('models.b'),
      task('models.c', 'no', 'failed'),
      task('models.d', '', 'waiting'),
      task('models.e'),
      task('models.f'),
    ];
    expect(taskLines(tasks, canvas(60, 5))).toEqual([
      '⠋ 1 of 6 done',
      '  ✖ models.c  no',
      '  ⠋ models.b  listing files',
      '  … and 2 more',
    ]);
    expect(taskLines(tasks, canvas(60, 1))).toEqual(['⠋ 1 of 6 done', '  … and 4 more']);
  });
});

describe('a frame', () => {
  it('knows how many lines of a window it takes', () => {
    const frame = frameOf(['1234567890', '', '模型']);
    expect([10, 9, 5, 3].map((columns) => frame.heightAt(columns))).toEqual([3, 4, 4, 7]);
  });
});

const MB = 1_000_000;

const file = (path: string, bytes: number, more: Partial<TransferRow> = {}): TransferRow => ({
  entry: 'models.mistral',
  path,
  status: 'downloading',
  bytes,
  size: 12 * MB,
  rate: bytes === 0 ? 0 : 2.1 * MB,
  ...more,
});

const total = (files: number, more: Partial<TransferTotal> = {}): TransferTotal => ({
  files,
  done: 1,
  failed: 0,
  bytes: 10.7 * MB,
  size: 51 * MB,
  rate: 12.7 * MB,
  ...more,
});

const FIVE = [
  file('model-00002-of-00003.safetensors', 0),
  file('model-00001-of-00003.safetensors', 3 * MB),
  file('Q4_K_M.gguf', 6 * MB, {
    entry: 'models.quant',
    size: 6 * MB,
    status: 'adding to the store',
  }),
];

describe('files under way', () => {
  it('have bars and figures in columns, and those that wait come last', () => {
    expect(transferLines(total(6), FIVE, canvas(110, 24))).toEqual([
      '⠋ 1 of 6 files  ███████░░░░░░░░░░░░░░░░░░░░░░░░░░░    10.7 MB of 51 MB   20%  12.7 MB/s     4 s left',
      '  models.mistral  model-00001-of-00003.safetensors  ████░░░░░░░░░░░░░░   25%   2.1 MB/s     5 s left',
      '  models.quant    Q4_K_M.gguf                       ██████████████████  100%  adding to the store',
      '  models.mistral  model-00002-of-00003.safetensors  waiting',
      '  … and 2 more',
    ]);
  });

  it('give up figures for names in a narrow window', () => {
    expect(transferLines(total(6), FIVE, canvas(60, 24))).toEqual([
      '⠋ 1 of 6 files  ██░░░░░░░░░░░░   20%  12.7 MB/s     4 s left',
      '  models.mistral  model-00001-of-00003.safetensors       25%',
      '  models.quant    Q4_K_M.gguf                           100%',
      '  models.mistral  model-00002-of-00003.safetensors  waiting',
      '  … and 2 more',
    ]);
  });

  it('have a path without its middle where nothing else can give way', () => {
    expect(transferLines(total(6), FIVE, canvas(40, 24))).toEqual([
      '⠋ 1 of 6 files  ███░░░░░░░░░░░░░░░   20%',
      '  models.mistral  mo…afetensors      25%',
      '  models.quant    Q4_K_M.gguf       100%',
      '  models.mistral  mo…afetensors  waiting',
      '  … and 2 more',
    ]);
  });

  it('are twelve at most, and as many as the window has lines for', () => {
    const rows = Array.from({ length: 40 }, (_, index) => file(`file-${index}`, MB));
    const lines = transferLines(total(60, { done: 3, failed: 1 }), rows, canvas(100, 50));
    expect(lines).toHaveLength(14);
    expect(lines.at(-1)).toBe('  … and 44 more');
    const few = transferLines(total(60, { done: 3, failed: 1 }), rows, canvas(100, 8));
    expect(few).toHaveLength(7);
    expect(few.at(-1)).toBe('  … and 51 more');
  });
});
