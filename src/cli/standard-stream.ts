import { fstatSync, writeSync } from 'node:fs';
import { systemCodeOf } from '../errors.ts';

/** Standard output or standard error: what nix-hug needs of one. */
export interface StandardStream {
  readonly isTTY: boolean;
  /** Width of the terminal in characters; nothing where it is none, or does not say. */
  readonly columns?: number | undefined;
  /** Height of the terminal in lines. */
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** One that belongs to this process. */
export interface OwnStandardStream extends StandardStream {
  /** Fulfilled when all that was written is out, or refused. */
  drained(): Promise<void>;
}

/**
 * Standard output or standard error of this process, without the stream that Node has for it as
 * long as that is possible: for a pipe Node loads all of its networking with it, a tenth of the time
 * of `lock --check`. Only a terminal, and a pipe that does not wait for its reader, need it.
 *
 * @param fd the file descriptor
 * @param open Node's stream for it
 * @param refused told when the system does not take what is written
 */
export function createStandardStream(
  fd: number,
  open: () => NodeJS.WriteStream,
  refused: (error: unknown) => void,
): OwnStandardStream {
  let opened: NodeJS.WriteStream | undefined;
  let isDevice: boolean | undefined;
  const stream = () => (opened ??= open().on('error', refused));
  const terminal = () => {
    isDevice ??= fstatSync(fd).isCharacterDevice();
    const candidate = isDevice ? stream() : undefined;
    return candidate?.isTTY === true ? candidate : undefined;
  };
  return {
    get isTTY() {
      return terminal() !== undefined;
    },
    get columns() {
      return terminal()?.columns || undefined;
    },
    get rows() {
      return terminal()?.rows || undefined;
    },
    write(text) {
      const bytes = Buffer.from(text);
      try {
        const written = opened === undefined ? writeAtOnce(fd, bytes) : 0;
        if (written < bytes.length) stream().write(bytes.subarray(written));
      } catch (error) {
        refused(error);
      }
    },
    async drained() {
      const waiting = opened;
      if (waiting !== undefined) await new Promise((resolve) => waiting.write('', resolve));
    },
  };
}

/** Writes as much as a file descriptor takes without waiting, and returns how many bytes that are. */
function writeAtOnce(fd: number, bytes: Uint8Array): number {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
  } catch (error) {
    if (systemCodeOf(error) !== 'EAGAIN') throw error;
  }
  return written;
}
