import prettyBytes from 'pretty-bytes';
import type { Task, TaskRunner, Transfer, TransferRunner } from '../output/tasks.ts';
import { count } from '../output/text.ts';
import { createMeter } from './byte-progress.ts';
import type { Display } from './terminal.ts';

/** Runs tasks at once and shows each: as a row that changes, or as a line when it is done. */
export function createTaskRunner(display: Display): TaskRunner {
  if (display.mode === 'live') {
    return async (tasks) => {
      const { runLive } = await import('./live.ts');
      const { taskLines } = await import('./frame.ts');
      return runLive(tasks, display, taskLines);
    };
  }
  const write = lineWriter(display);
  return (tasks) => Promise.allSettled(tasks.map((task) => runPlain(task, write)));
}

/**
 * Runs transfers at once and shows them: on a terminal the total and the files under way, else a line
 * for each entry when all of its files have ended.
 */
export function createTransferRunner(display: Display): TransferRunner {
  const { mode } = display;
  if (mode === 'live') return (transfers) => runTransfersLive(transfers, display);
  const write = lineWriter(display);
  if (mode === 'verbose') {
    return (transfers) =>
      Promise.allSettled(
        transfers.map(async ({ entry, title, size, run }) => {
          const result = await run(() => undefined);
          write(`${entry} ${title}: ${prettyBytes(size)}`);
          return result;
        }),
      );
  }
  return (transfers) => runByEntry(transfers, write);
}

const lineWriter = ({ screen, mode, hide }: Display): ((line: string) => void) =>
  mode === 'silent' ? () => undefined : (line) => screen.write(`${hide(line)}\n`);

async function runPlain<T>({ title, run }: Task<T>, write: (line: string) => void): Promise<T> {
  let status = '';
  const result = await run((report) => {
    status = report;
  });
  write(`${title}: ${status}`);
  return result;
}

function runByEntry<T>(
  transfers: readonly Transfer<T>[],
  write: (line: string) => void,
): Promise<PromiseSettledResult<T>[]> {
  const entries = new Map<string, { files: number; ended: number; done: number; bytes: number }>();
  const runOne = async ({ entry, size, run }: Transfer<T>) => {
    const counts = entries.get(entry) ?? { files: 0, ended: 0, done: 0, bytes: 0 };
    entries.set(entry, counts);
    counts.files += 1;
    try {
      const result = await run(() => undefined);
      counts.done += 1;
      counts.bytes += size;
      return result;
    } finally {
      counts.ended += 1;
      const { files, ended, done, bytes } = counts;
      const amount = done < files ? `${done} of ${files} files` : count(files, 'file', 'files');
      if (ended === files && done > 0) write(`${entry}: ${amount}, ${prettyBytes(bytes)}`);
    }
  };
  return Promise.allSettled(transfers.map(runOne));
}

async function runTransfersLive<T>(
  transfers: readonly Transfer<T>[],
  display: Display,
): Promise<PromiseSettledResult<T>[]> {
  if (transfers.length === 0) return [];
  const { runLive } = await import('./live.ts');
  const { transferLines, transferredLine } = await import('./transfer-lines.ts');
  const size = transfers.reduce((sum, each) => sum + each.size, 0);
  const meter = createMeter();
  /** Each file that has reported: how many bytes it has reached, and how fast. */
  const begun = new Map<number, { bytes: number; meter: typeof meter }>();
  const tasks = transfers.map(({ title, run }, index) => ({
    title,
    run: (report: (status: string) => void) =>
      run((status, bytes) => {
        const progress = begun.get(index) ?? { bytes, meter: createMeter() };
        begun.set(index, Object.assign(progress, { bytes }));
        report(status);
      }),
  }));

  return runLive(tasks, display, (rows, canvas, isOver) => {
    const now = performance.now();
    const inState = (state: string) => rows.filter((row) => row.state === state).length;
    const bytes = rows.reduce((sum, { state }, index) => {
      if (state === 'done') return sum + (transfers[index]?.size ?? 0);
      return state === 'running' ? sum + (begun.get(index)?.bytes ?? 0) : sum;
    }, 0);
    meter.note(bytes, now);
    const counts = { files: rows.length, done: inState('done'), failed: inState('failed') };
    const total = { ...counts, bytes, size, rate: meter.rate() };
    if (isOver) return [transferredLine(total, canvas)];
    const underWay = rows.flatMap(({ state, title: path, status }, index) => {
      const [transfer, progress] = [transfers[index], begun.get(index)];
      if (state !== 'running' || transfer === undefined || progress === undefined) return [];
      progress.meter.note(progress.bytes, now);
      const entry = display.hide(transfer.entry);
      const { bytes: there, meter: own } = progress;
      return [{ entry, path, status, bytes: there, size: transfer.size, rate: own.rate() }];
    });
    return transferLines(total, underWay, canvas);
  });
}
