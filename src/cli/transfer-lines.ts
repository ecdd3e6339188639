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

/** How wide figures are at least, so that bars do not jump while figures change. */
const MIN_WIDTHS = { amount: 16, percent: 4, rate: 9, left: 9 };

type Figure = keyof typeof MIN_WIDTHS;
type Widths = Readonly<Record<Figure, number>>;

/** The figures beside a bar of at least so many characters; the first that fit are shown. */
const LAYOUTS: readonly { readonly bar: number; readonly figures: readonly Figure[] }[] = [
  { bar: 10, figures: ['amount', 'percent', 'rate', 'left'] },
  { bar: 8, figures: ['percent', 'rate', 'left'] },
  { bar: 8, figures: ['percent', 'rate'] },
  { bar: 5, figures: ['percent'] },
];

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
  const widths = widthsOf([total, ...shown]);

  const head = `${icon('running')} ${total.done} of ${total.files} files`;
  const lines = shown.map((row, index) => {
    const name = names[index] ?? '';
    const padded = name + ' '.repeat(nameWidth - stringWidth(name));
    return isWaiting(row)
      ? `${padded}${GAP}${paint('dim', WAITING)}`
      : padded + figuresOf(row, width - nameWidth, widths, paint);
  });
  const others = total.files - total.done - total.failed - shown.length;
  const headRoom = width - stringWidth(head);
  return cropped(head + figuresOf(total, headRoom, widths, paint), lines, others, canvas);
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
  widths: Widths,
  paint: Canvas['paint'],
): string {
  const widthOf = (figures: readonly Figure[]) =>
    figures.reduce((sum, name) => sum + GAP.length + widths[name], 0);
  const layout = LAYOUTS.find(({ bar, figures }) => GAP.length + bar + widthOf(figures) <= room);
  const figures = layout?.figures ?? ['percent'];
  const free = Math.max(0, room - widthOf(figures));
  const [done, open] = barText(progress, Math.max(0, free - GAP.length));
  const start =
    layout === undefined ? ' '.repeat(free) : GAP + paint('green', done) + paint('dim', open);

  const { status = DOWNLOADING } = progress;
  const texts = textsOf(progress);
  const isFast = (name: Figure) => name === 'rate' || name === 'left';
  if (status === DOWNLOADING) return start + cellsOf(figures, texts, widths);
  const own = figures.filter((name) => !isFast(name));
  const rest = widthOf(figures.filter(isFast));
  const end = GAP.length + stringWidth(status) <= rest ? GAP + status : '';
  return start + cellsOf(own, texts, widths) + end;
}

const textsOf = (progress: ByteProgress): Readonly<Record<Figure, string>> => ({
  amount: amountText(progress),
  percent: percentText(progress),
  rate: rateText(progress),
  left: leftText(progress),
});

const cellsOf = (
  figures: readonly Figure[],
  texts: Readonly<Record<Figure, string>>,
  widths: Widths,
): string => figures.map((name) => GAP + texts[name].padStart(widths[name])).join('');

function widthsOf(all: readonly ByteProgress[]): Widths {
  const texts = all.map(textsOf);
  const widest = (name: Figure) =>
    Math.max(MIN_WIDTHS[name], ...texts.map((each) => each[name].length));
  return {
    amount: widest('amount'),
    percent: widest('percent'),
    rate: widest('rate'),
    left: widest('left'),
  };
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
