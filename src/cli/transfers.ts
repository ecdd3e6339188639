import prettyBytes from 'pretty-bytes';
import type { Transfer, TransferRunner } from '../output/tasks.ts';
import { createMeter, durationText, type Meter } from './meter.ts';
import { lineWriter } from './progress.ts';
import type { Display } from './screen.ts';

/** How far a file is. */
interface Row {
  readonly title: string;
  readonly size: number;
  status: string;
  bytes: number;
}

/** Times a second that a terminal is redrawn: as often as an eye can read. */
const REDRAWS_PER_SECOND = 5;
const MAX_ROWS = 12;

/**
 * Runs transfers at once and shows them: on a terminal those under way and the total, else a plain
 * line for each that is done.
 */
export function createTransferRunner(display: Display): TransferRunner {
  if (display.mode === 'live') return (transfers) => runLive(display, transfers);
  const write = lineWriter(display);
  return (transfers) => Promise.allSettled(transfers.map((transfer) => runPlain(transfer, write)));
}

async function runPlain<T>(
  { entry, title, size, run }: Transfer<T>,
  write: (line: string) => void,
): Promise<T> {
  const result = await run(() => undefined);
  write(`${entry} ${title}: ${prettyBytes(size)}`);
  return result;
}

async function runLive<T>(
  display: Display,
  transfers: readonly Transfer<T>[],
): Promise<PromiseSettledResult<T>[]> {
  const total = transfers.reduce((sum, { size }) => sum + size, 0);
  const underWay = new Set<Row>();
  const meter = createMeter();
  let done = 0;
  let doneBytes = 0;

  async function runOne({ entry, title, size, run }: Transfer<T>): Promise<T> {
    const row: Row = { title: `${entry} ${title}`, size, status: '', bytes: 0 };
    try {
      const result = await run((status, bytes) => {
        Object.assign(row, { status, bytes });
        underWay.add(row);
      });
      done += 1;
      doneBytes += size;
      return result;
    } finally {
      underWay.delete(row);
    }
  }

  const shown = () => {
    const rows = [...underWay];
    const bytes = rows.reduce((sum, row) => sum + row.bytes, doneBytes);
    meter.note(bytes, performance.now());
    const files = `${done} of ${transfers.length} files`;
    const lines = rowLines(rows, display.screen.rows);
    return [`${files}, ${progressText(bytes, total, meter)}`, ...lines].join('\n');
  };

  const results: PromiseSettledResult<T>[] = [];
  const { runRows } = await import('./live.ts');
  await runRows(display, [
    {
      title: `${transfers.length} files, ${prettyBytes(total)}`,
      run: async (show) => {
        const redraw = setInterval(() => show(shown()), 1000 / REDRAWS_PER_SECOND);
        try {
          results.push(...(await Promise.allSettled(transfers.map(runOne))));
          if (done < transfers.length) throw new Error('some failed');
        } finally {
          clearInterval(redraw);
          show(`${done} of ${transfers.length} files, ${prettyBytes(doneBytes)}`);
        }
      },
    },
  ]);
  return results;
}

function rowLines(rows: readonly Row[], height: number): string[] {
  // Besides them there are the total, the number of the others, and the line of the cursor.
  const most = Math.min(MAX_ROWS, Math.max(0, height - 3));
  const lines = rows.slice(0, most).map(({ title, size, status, bytes }) => {
    return `${title}\t: ${status}, ${prettyBytes(bytes)} of ${prettyBytes(size)}`;
  });
  const more = rows.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

function progressText(bytes: number, total: number, meter: Meter): string {
  const amount = `${prettyBytes(bytes)} of ${prettyBytes(total)}`;
  const rate = meter.rate();
  if (rate === undefined || rate === 0) return amount;
  return `${amount}, ${prettyBytes(rate)}/s, ${durationText((total - bytes) / rate)} left`;
}
