import { createInterface } from 'node:readline';
import type { StandardStream } from './standard-stream.ts';

/** Where the user answers. */
export interface Answers {
  readonly input: NodeJS.ReadableStream;
  /** Where the question goes. */
  readonly output: Pick<StandardStream, 'write'>;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

/**
 * Asks a question that `y` or `yes` answers in the affirmative, and everything else, the end of the
 * input too, in the negative.
 *
 * @throws the reason of the signal
 */
export async function confirm(
  question: string,
  { input, output, signal }: Answers,
): Promise<boolean> {
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
