import type { Task, TaskRunner } from '../output/tasks.ts';
import type { Display } from './screen.ts';

/**
 * Runs tasks at once and shows them: live with listr2 on a terminal, else one plain line for each
 * that is done.
 */
export function createTaskRunner(display: Display): TaskRunner {
  if (display.mode === 'live') {
    return async (tasks) => {
      const { runRows } = await import('./live.ts');
      return runRows(
        display,
        tasks.map(({ title, run }) => ({
          title,
          run: (show) => run((status) => show(`${title}\t: ${status}`)),
        })),
      );
    };
  }
  const write = lineWriter(display);
  return (tasks) => Promise.allSettled(tasks.map((task) => runPlain(task, write)));
}

/** Writes lines where the mode has any. */
export function lineWriter({ screen, mode, hide }: Display): (line: string) => void {
  return mode === 'silent' ? () => undefined : (line) => screen.write(`${hide(line)}\n`);
}

async function runPlain<T>(task: Task<T>, write: (line: string) => void): Promise<T> {
  let status = '';
  const result = await task.run((report) => {
    status = report;
  });
  write(`${task.title}: ${status}`);
  return result;
}
