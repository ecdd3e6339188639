import type { ListrDefaultRendererLogLevels } from 'listr2';
import type { Task, TaskRunner } from '../commands/tasks.ts';

/**
 * Runs tasks at once and shows them: live with listr2 on a terminal, else one plain line for each
 * that is done.
 *
 * @param stream where progress goes; never the stream of results
 * @param mode `live` redraws a terminal, `plain` writes lines, `silent` nothing
 */
export function createTaskRunner(
  stream: NodeJS.WriteStream,
  mode: 'live' | 'plain' | 'silent',
): TaskRunner {
  if (mode === 'live') return (tasks) => runLive(stream, tasks);
  const write = mode === 'plain' ? (line: string) => void stream.write(`${line}\n`) : () => {};
  return (tasks) => Promise.allSettled(tasks.map((task) => runPlain(task, write)));
}

async function runPlain<T>(task: Task<T>, write: (line: string) => void): Promise<T> {
  let status = '';
  const result = await task.run((report) => {
    status = report;
  });
  write(`${task.title}: ${status}`);
  return result;
}

async function runLive<T>(
  stream: NodeJS.WriteStream,
  tasks: readonly Task<T>[],
): Promise<PromiseSettledResult<T>[]> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    processOutput: new ProcessOutput(stream, stream),
  });
  const results: PromiseSettledResult<T>[] = [];
  const list = new Listr(
    tasks.map(({ title, run }, index) => ({
      title,
      task: async (_context, row) => {
        const report = (status: string) => {
          row.title = `${title}: ${status}`;
        };
        try {
          results[index] = { status: 'fulfilled', value: await run(report) };
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
      rendererOptions: {
        showErrorMessage: false,
        logger,
      },
    },
  );
  await list.run();
  return results;
}
