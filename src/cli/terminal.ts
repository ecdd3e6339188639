import type { Style } from '../output/text.ts';

/** Standard output or standard error: what nix-hug needs of one. */
export interface StandardStream {
  readonly isTTY?: boolean;
  /** Width of the terminal in characters; nothing or 0 where it is none, or does not say. */
  readonly columns?: number;
  /** Height of the terminal in lines. */
  readonly rows?: number;
  write(text: string): unknown;
}

/** Lines that are drawn together. */
export interface Frame {
  readonly lines: readonly string[];
  /** How many lines they take in a window of that many columns. */
  readonly heightAt: (columns: number) => number;
}

/** A terminal with a frame at its end, which is redrawn below everything that is written. */
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
  /**
   * `live` redraws a terminal; `plain` writes a line for each entry, `verbose` one for each file;
   * `silent` shows nothing.
   */
  readonly mode: 'live' | 'plain' | 'verbose' | 'silent';
  /** Colours a text, where the user wants that. */
  readonly paint: (style: Style, text: string) => string;
  /** Replaces secrets, to be called before a text is shortened. */
  readonly hide: (text: string) => string;
  /** Lines below those of a live display. */
  readonly notice: () => readonly string[];
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

/**
 * Asks a question: `y` and `yes` mean yes, everything else and the end of the input mean no.
 *
 * @param input where the user answers
 * @param signal aborted when the user interrupts
 * @throws the reason of the signal
 */
export async function confirm(
  question: string,
  input: NodeJS.ReadableStream,
  output: StandardStream,
  signal: AbortSignal,
): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  // Not a terminal to readline: it would take Ctrl-C for itself.
  const lines = createInterface({ input, terminal: false });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once('close', () => resolve(''));
      signal.addEventListener('abort', () => lines.close(), { once: true });
      lines.once('line', resolve);
      output.write(question);
    });
    signal.throwIfAborted();
    return /^y(?:es)?$/iu.test(answer.trim());
  } finally {
    lines.close();
  }
}
