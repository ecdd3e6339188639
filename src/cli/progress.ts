import type { ListrDefaultRendererLogLevels } from 'listr2';
import type { Task, TaskRunner } from '../commands/tasks.ts';

/** `live` redraws a terminal, `plain` writes lines, `silent` nothing. */
export type ProgressMode = 'live' | 'plain' | 'silent';

/**
 * Runs tasks at once and shows them: live with listr2 on a terminal, else one plain line for each
 * that is done.
 *
 * @param stream where progress goes; never the stream of results
 */
export function createTaskRunner(stream: NodeJS.WriteStream, mode: ProgressMode): TaskRunner {
  if (mode === 'live') {
    return (tasks) =>
      runRows(
        stream,
        tasks.map(({ title, run }) => ({
          title,
          run: (show) => run((status) => show(`${title}: ${status}`)),
        })),
      );
  }
  const write = lineWriter(stream, mode);
  return (tasks) => Promise.allSettled(tasks.map((task) => runPlain(task, write)));
}

/** Writes lines where the mode has any. */
export function lineWriter(stream: NodeJS.WriteStream, mode: ProgressMode): (line: string) => void {
  return mode === 'silent' ? () => undefined : (line) => void stream.write(`${line}\n`);
}

/** One row of a live display. */
interface Row<T> {
  readonly title: string;
  readonly run: (show: (title: string) => void) => Promise<T>;
}

/** Runs rows at once and redraws them on a terminal. */
export async function runRows<T>(
  stream: NodeJS.WriteStream,
  rows: readonly Row<T>[],
): Promise<PromiseSettledResult<T>[]> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2');
  /** Listr2 looks at stdout alone and would write there when that is no terminal. */
  class Renderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    processOutput: new ProcessOutput(stream, stream),
  });
  const results: PromiseSettledResult<T>[] = [];
  const list = new Listr(
    rows.map(({ title, run }, index) => ({
      title,
      task: async (_context, row) => {
        const show = (shown: string) => {
          row.title = shown;
        };
        try {
          results[index] = { status: 'fulfilled', value: await run(show) };
        } catch (reason) {
          results[index] = { status: 'rejected', reason };
          throw reason;
        }
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      fallbackRendererCondition: false,
      renderer: Renderer,
      rendererOptions: {
        showErrorMessage: false,
        logger,
      },
    },
  );
  await list.run();
  return results;
}

async function runPlain<T>(task: Task<T>, write: (line: string) => void): Promise<T> {
  let status = '';
  const result = await task.run((report) => {
    status = report;
  });
  write(`${task.title}: ${status}`);
  return result;
}
