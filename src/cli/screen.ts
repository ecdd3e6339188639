import type { StandardStream } from './standard-stream.ts';

/** Lines that are drawn together. */
export interface Frame {
  readonly lines: readonly string[];
  /** How many lines they take in a window of that many columns. */
  readonly heightAt: (columns: number) => number;
}

/** A terminal with lines at its end that are drawn anew, below everything that is written. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Writes lines that stay; they end with a line feed. */
  write(text: string): void;
  /** Replaces the frame drawn before. */
  draw(frame: Frame): void;
}

/** Where progress is shown, and how. */
export interface Display {
  /** Never the stream of results. */
  readonly screen: Screen;
  /** `live` redraws a terminal, `plain` writes lines, `silent` nothing. */
  readonly mode: 'live' | 'plain' | 'silent';
  readonly color: boolean;
  /** Replaces secrets, to be called before a text is shortened. */
  readonly hide: (text: string) => string;
  /** A line below the others of a live display; `undefined` for none. */
  readonly notice: () => string | undefined;
}

/** One line at a time: some terminals keep a copy of what is cleared all at once. */
const UP_AND_CLEAR = '\u001b[1A\u001b[2K';

/** The screen of a stream. Nothing but text is written to it before something is drawn. */
export function createScreen(stream: StandardStream): Screen {
  let drawn: Frame | undefined;
  const columns = () => stream.columns || 80;
  /** Goes back to where the frame begins, whose lines a narrower window has wrapped. */
  const erase = () => {
    const height = drawn?.heightAt(columns()) ?? 0;
    return height === 0 ? '' : `\r\u001b[2K${UP_AND_CLEAR.repeat(height)}`;
  };
  const put = (before: string) =>
    void stream.write(before + (drawn?.lines ?? []).map((line) => `${line}\n`).join(''));
  return {
    get columns() {
      return columns();
    },
    get rows() {
      return stream.rows || 24;
    },
    write: (text) => put(erase() + text),
    draw(frame) {
      const erased = erase();
      drawn = frame;
      put(erased);
    },
  };
}
