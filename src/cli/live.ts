import { Listr } from 'listr2';
import { frameOf, type FrameRow, NOTHING } from './frame.ts';
import { createPaint } from './paint.ts';
import type { Display, Frame } from './screen.ts';

/** One row of a live display. */
interface Row<T> {
  /** Lines as `frameOf` takes them. */
  readonly title: string;
  readonly run: (show: (title: string) => void) => Promise<T>;
}

/** Runs rows at once and redraws them on a terminal. */
export async function runRows<T>(
  display: Display,
  rows: readonly Row<T>[],
): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = [];
  const renderer = rendererOf(display);
  const list = new Listr<undefined, typeof renderer>(
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
      renderer,
    },
  );
  await list.run();
  return results;
}

/** What a renderer of listr2 sees of a task. */
interface ShownTask {
  readonly title?: string | undefined;
  isStarted(): boolean;
  isCompleted(): boolean;
  hasFailed(): boolean;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAMES_PER_SECOND = 10;

/**
 * A renderer of listr2 for a screen. The one that listr2 brings looks at the size of stdout, which
 * may be no terminal, and does not keep to the height of the window.
 */
function rendererOf({ screen, color, hide, notice }: Display) {
  const paint = createPaint(color);
  return class Renderer {
    static readonly nonTTY = true;
    static readonly rendererOptions = {};
    static readonly rendererTaskOptions = {};
    readonly #tasks: readonly ShownTask[];
    #timer: NodeJS.Timeout | undefined;
    #ticks = 0;

    constructor(tasks: readonly ShownTask[]) {
      this.#tasks = tasks;
    }

    render(): void {
      this.#timer = setInterval(() => this.#draw(), 1000 / FRAMES_PER_SECOND);
    }

    end(): void {
      clearInterval(this.#timer);
      const { lines } = this.#frame(undefined);
      screen.draw(NOTHING);
      screen.write(lines.map((line) => `${line}\n`).join(''));
    }

    #draw(): void {
      this.#ticks += 1;
      screen.draw(this.#frame(notice()));
    }

    #frame(below: string | undefined): Frame {
      const spinner = SPINNER[this.#ticks % SPINNER.length] ?? '';
      const icons: Readonly<Record<FrameRow['state'], string>> = {
        waiting: paint('dim', '◼'),
        running: paint('yellow', spinner),
        done: paint('green', '✔'),
        failed: paint('red', '✖'),
      };
      const rows = this.#tasks.map((task) => ({
        state: stateOf(task),
        title: hide(task.title ?? ''),
      }));
      return frameOf(rows, screen, (state) => icons[state], below);
    }
  };
}

function stateOf(task: ShownTask): FrameRow['state'] {
  if (task.isCompleted()) return 'done';
  if (task.hasFailed()) return 'failed';
  return task.isStarted() ? 'running' : 'waiting';
}
