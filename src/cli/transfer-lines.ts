import cliTruncate from 'cli-truncate';
import prettyBytes from 'pretty-bytes';
import stringWidth from 'string-width';
import {
  amountText,
  barText,
  type ByteProgress,
  leftText,
  percentText,
  rateText,
} from './byte-progress.ts';
import { type Canvas, cropped, GAP, ICON_WIDTH } from './frame.ts';

/** A file under way. */
export interface TransferRow extends ByteProgress {
  /** The entry or the repository, whose name is never shortened. */
  readonly entry: string;
  readonly path: string;
  /** What is being done; `downloading` is shown as rate and time left. */
  readonly status: string;
}

/** All files, those that wait and those that have ended included. */
export interface TransferTotal extends ByteProgress {
  readonly files: number;
  readonly done: number;
  readonly failed: number;
}

const DOWNLOADING = 'downloading';
const WAITING = 'waiting';
const MAX_FILES = 12;
/** Wider lines are no easier to read, unless names need them. */
const MAX_WIDTH = 100;
const MAX_FIGURES_WIDTH = 50;
const MIN_PATH_WIDTH = 8;

/**
 * Lines for files that are transferred: the total, and a row for each file under way, first those of
 * which bytes have come. Names stand in full: the figures give way to them, and then the middle of the
 * path.
 */
export function transferLines(
  total: TransferTotal,
  underWay: readonly TransferRow[],
  canvas: Canvas,
): readonly string[] {
  const { columns, icon, paint } = canvas;
  const shown = [
    ...underWay.filter((row) => !isWaiting(row)),
    ...underWay.filter((row) => isWaiting(row)),
  ].slice(0, MAX_FILES);
  const entryWidth = Math.max(0, ...shown.map(({ entry }) => stringWidth(entry)));
  const pathRoom = columns - ICON_WIDTH - entryWidth - GAP.length - GAP.length - WAITING.length;
  const names = shown.map(({ entry, path }) => {
    const padded = entry + ' '.repeat(entryWidth - stringWidth(entry));
    return ' '.repeat(ICON_WIDTH) + padded + GAP + shortened(path, pathRoom);
  });
  const nameWidth = Math.max(0, ...names.map((name) => stringWidth(name)));
  const width = Math.min(columns, Math.max(MAX_WIDTH, nameWidth + MAX_FIGURES_WIDTH));

  const head = `${icon('running')} ${total.done} of ${total.files} files`;
  const lines = shown.map((row, index) => {
    const name = names[index] ?? '';
    const padded = name + ' '.repeat(nameWidth - stringWidth(name));
    return isWaiting(row)
      ? `${padded}${GAP}${paint('dim', WAITING)}`
      : padded + figuresOf(row, width - nameWidth, paint);
  });
  const others = total.files - total.done - total.failed - shown.length;
  const headRoom = width - stringWidth(head);
  return cropped(head + figuresOf(total, headRoom, paint), lines, others, canvas);
}

/** The line that stays when all transfers have ended. */
export function transferredLine({ done, files, bytes }: TransferTotal, { icon }: Canvas): string {
  const state = done === files ? 'done' : 'failed';
  return `${icon(state)} ${done} of ${files} files, ${prettyBytes(bytes)}`;
}

/** A bar and figures that fill the room; the percentage alone where there is none. */
function figuresOf(
  progress: ByteProgress & { readonly status?: string },
  room: number,
  paint: Canvas['paint'],
): string {
  const { status = DOWNLOADING } = progress;
  // As wide as the longest of each, so that bars do not jump while figures change.
  const amount = GAP + amountText(progress).padStart(18);
  const percent = GAP + percentText(progress).padStart(4);
  const rate = GAP + rateText(progress).padStart(9);
  const left = GAP + leftText(progress).padStart(11);
  /** A status other than `downloading` stands where the figures of the speed do. */
  const speed = (figures: string) => {
    if (status === DOWNLOADING) return figures;
    const shown = GAP + status;
    return (shown.length <= figures.length ? shown : '').padEnd(figures.length);
  };
  const layouts = [
    { minBar: 10, figures: amount + percent + speed(rate + left) },
    { minBar: 8, figures: percent + speed(rate + left) },
    { minBar: 8, figures: percent + speed(rate) },
    { minBar: 5, figures: percent },
  ];
  const layout = layouts.find(
    ({ minBar, figures }) => GAP.length + minBar + figures.length <= room,
  );
  if (layout === undefined) return percent.padStart(room);
  const [done, open] = barText(progress, room - GAP.length - layout.figures.length);
  return (GAP + paint('green', done) + paint('dim', open) + layout.figures).trimEnd();
}

/** An empty file waits for nothing. */
const isWaiting = ({ bytes, size }: ByteProgress): boolean => bytes === 0 && size > 0;

/** A path without some of its middle; most of what stays is the end, which tells shards apart. */
function shortened(path: string, room: number): string {
  const width = Math.max(MIN_PATH_WIDTH, room);
  if (stringWidth(path) <= width) return path;
  const head = cliTruncate(path, Math.floor(width / 4));
  const tail = cliTruncate(path, width - stringWidth(head) + 1, { position: 'start' });
  return head + tail.slice('…'.length);
}
