import { Listr, type ListrTaskObject, Spinner } from 'listr2';
import type { Task } from '../output/tasks.ts';
import { type Canvas, frameOf, NOTHING, type State, type TaskRow } from './frame.ts';
import type { Display } from './terminal.ts';

/** The lines for the tasks as they are; `isOver` for those that stay. */
type Draw = (tasks: readonly TaskRow[], canvas: Canvas, isOver: boolean) => readonly string[];

/** Runs tasks at once and redraws them on a terminal. */
export async function runLive<T>(
  tasks: readonly Task<T>[],
  display: Display,
  draw: Draw,
): Promise<PromiseSettledResult<T>[]> {
  const results: Promise<T>[] = [];
  const renderer = rendererOf(display, draw);
  const list = new Listr<undefined, typeof renderer>(
    tasks.map(({ title, run }, index) => ({
      title,
      task: async (_context, row) => {
        const result = run((status) => {
          row.output = status;
        });
        results[index] = result;
        await result;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      fallbackRendererCondition: false,
      renderer,
    },
  );
  await list.run();
  return Promise.allSettled(results);
}

type ShownTask = Pick<
  ListrTaskObject<unknown>,
  'title' | 'output' | 'isStarted' | 'isCompleted' | 'hasFailed'
>;

/**
 * A renderer of listr2 for a screen. Its own takes the width of stdout, which need not be a terminal,
 * leaves lines behind when the window gets narrower, and holds back warnings until all is done.
 */
function rendererOf({ screen, paint, hide, notice }: Display, draw: Draw) {
  return class Renderer {
    static readonly nonTTY = true;
    static readonly rendererOptions = {};
    static readonly rendererTaskOptions = {};
    readonly #tasks: readonly ShownTask[];
    readonly #spinner = new Spinner();

    constructor(tasks: readonly ShownTask[]) {
      this.#tasks = tasks;
    }

    render(): void {
      this.#spinner.start(() => screen.draw(frameOf(this.#lines(false))));
    }

    end(): void {
      this.#spinner.stop();
      screen.draw(NOTHING);
      for (const line of this.#lines(true)) screen.write(`${line}\n`);
    }

    #lines(isOver: boolean): readonly string[] {
      const icons: Readonly<Record<State, string>> = {
        waiting: paint('dim', '◼'),
        running: paint('yellow', this.#spinner.fetch()),
        done: paint('green', '✔'),
        failed: paint('red', '✖'),
      };
      const { columns, rows } = screen;
      const tasks = this.#tasks.map((task) => ({
        state: stateOf(task),
        title: hide(task.title ?? ''),
        status: hide(task.output ?? ''),
      }));
      const below = isOver ? [] : notice();
      const room = rows - frameOf(below).heightAt(columns);
      const canvas = { columns, rows: room, paint, icon: (state: State) => icons[state] };
      return [...draw(tasks, canvas, isOver), ...below];
    }
  };
}

function stateOf(task: ShownTask): State {
  if (task.isCompleted()) return 'done';
  if (task.hasFailed()) return 'failed';
  return task.isStarted() ? 'running' : 'waiting';
}
