import stringWidth from 'string-width';
import type { Style } from '../output/text.ts';
import type { Frame } from './terminal.ts';

/** How far a task is. */
export type State = 'waiting' | 'running' | 'done' | 'failed';

/** Where rows are drawn. */
export interface Canvas {
  /** Width of the window in characters. */
  readonly columns: number;
  /** Height of the window in lines. */
  readonly rows: number;
  readonly paint: (style: Style, text: string) => string;
  /** What stands before a row, one character wide. */
  readonly icon: (state: State) => string;
}

/** A task as it is shown. */
export interface TaskRow {
  readonly state: State;
  /** A name, which is never shortened. */
  readonly title: string;
  readonly status: string;
}

/** Between columns, and before lines that belong to the one above. */
export const GAP = '  ';
/** An icon and a space. */
export const ICON_WIDTH = 2;
/** The cursor stands on a line of its own below the frame. */
const CURSOR_LINES = 1;

/** A frame without lines. */
export const NOTHING: Frame = { lines: [], heightAt: () => 0 };

/** Makes a frame of lines; the terminal wraps those that are wider than the window. */
export function frameOf(lines: readonly string[]): Frame {
  const widths = lines.map((line) => stringWidth(line));
  return {
    lines,
    heightAt: (columns) =>
      widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0),
  };
}

/**
 * Lines for tasks, with the status beside the title where there is room. Where they do not fit into the
 * window: how many are done, and below it those that failed and those that run.
 */
export function taskLines(tasks: readonly TaskRow[], canvas: Canvas): readonly string[] {
  const { columns, rows, icon } = canvas;
  const all = linesOf(tasks, columns, icon);
  if (frameOf(all).heightAt(columns) <= rows - CURSOR_LINES) return all;

  const inState = (state: State) => tasks.filter((task) => task.state === state);
  const [done, running, failed] = [inState('done'), inState('running'), inState('failed')];
  const isOver = done.length + failed.length === tasks.length;
  const state = !isOver ? 'running' : failed.length > 0 ? 'failed' : 'done';
  const head = `${icon(state)} ${done.length} of ${tasks.length} done`;
  const below = linesOf([...failed, ...running], columns - GAP.length, icon);
  const indented = below.map((line) => GAP + line);
  return cropped(head, indented, 0, canvas);
}

/**
 * A line, those below it that fit into the window, and the number of the others.
 *
 * @param others how many there are that have no line at all
 */
export function cropped(
  head: string,
  below: readonly string[],
  others: number,
  { columns, rows }: Canvas,
): readonly string[] {
  const cut = (shown: number): readonly string[] => {
    const more = below.length - shown + others;
    return [head, ...below.slice(0, shown), ...(more > 0 ? [`${GAP}… and ${more} more`] : [])];
  };
  let shown = below.length;
  while (shown > 0 && frameOf(cut(shown)).heightAt(columns) > rows - CURSOR_LINES) shown -= 1;
  return cut(shown);
}

/** A line for each task; the status gives way to the title. */
function linesOf(tasks: readonly TaskRow[], columns: number, icon: Canvas['icon']): string[] {
  const sizes = tasks.map((task) => [stringWidth(task.title), stringWidth(task.status)] as const);
  const widest = Math.max(0, ...sizes.map(([title]) => title));
  const room = columns - ICON_WIDTH - GAP.length;
  const isAligned = widest + Math.max(0, ...sizes.map(([, status]) => status)) <= room;
  return tasks.map(({ state, title, status }, index) => {
    const [titleWidth, statusWidth] = sizes[index] ?? [0, 0];
    const padding = isAligned ? ' '.repeat(widest - titleWidth) : '';
    const end = titleWidth + statusWidth <= room ? padding + GAP + status : '';
    return `${icon(state)} ${title}${end}`.trimEnd();
  });
}
