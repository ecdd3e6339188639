import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { Frame } from './screen.ts';

/** A task as it is shown. */
export interface FrameRow {
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** One line or more. In each, what stands before a tab is shortened where there is no room. */
  readonly title: string;
}

/** A window, in characters. */
interface Size {
  readonly columns: number;
  readonly rows: number;
}

type Icon = (state: FrameRow['state']) => string;

/** Fewer columns of a name say nothing. */
const MIN_START = 8;

/** A frame without lines. */
export const NOTHING: Frame = { lines: [], heightAt: () => 0 };

/**
 * The frame that shows tasks. Where they do not fit, those that failed or run are shown, below how
 * many are done.
 *
 * @param icon what stands before a task
 * @param notice a last line
 */
export function frameOf(
  rows: readonly FrameRow[],
  { columns, rows: height }: Size,
  icon: Icon,
  notice?: string,
): Frame {
  const all = linesOf(rows, icon);
  const below = notice === undefined ? [] : [notice];
  // The cursor stands on a line of its own.
  const most = height - 1 - below.length;
  const shown = all.length <= most ? all : summaryOf(rows, most, icon);
  const lines = [...shown, ...below].map((line) => fitted(line, columns));
  const widths = lines.map((line) => Math.max(1, stringWidth(line)));
  return {
    lines,
    heightAt: (width) => widths.reduce((sum, each) => sum + Math.ceil(each / width), 0),
  };
}

function summaryOf(rows: readonly FrameRow[], most: number, icon: Icon): string[] {
  const inState = (state: FrameRow['state']) => rows.filter((row) => row.state === state);
  const [done, running, failed] = [inState('done'), inState('running'), inState('failed')];
  const isOver = done.length + failed.length === rows.length;
  const state = !isOver ? 'running' : failed.length > 0 ? 'failed' : 'done';
  const below = linesOf([...failed, ...running], icon);
  const shown = below.slice(0, Math.max(0, most - 2));
  const more = below.length - shown.length;
  return [
    `${icon(state)} ${done.length} of ${rows.length} done`,
    ...[...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `  ${line}`),
  ];
}

function linesOf(rows: readonly FrameRow[], icon: Icon): string[] {
  return rows.flatMap(({ state, title }) => {
    const [first = '', ...others] = title.split('\n');
    return [`${icon(state)} ${first}`, ...others.map((line) => `  ${line}`)];
  });
}

function fitted(line: string, columns: number): string {
  const [start = '', end = ''] = line.split('\t');
  if (stringWidth(start) + stringWidth(end) <= columns) return start + end;
  const room = columns - stringWidth(end);
  return end === '' || room < MIN_START
    ? cliTruncate(start + end, columns)
    : cliTruncate(start, room, { position: 'middle' }) + end;
}
