import type { PartialFile } from './partial.ts';
import { freeBytes, tooLittleSpace } from './space.ts';

const HINT = 'Make room, or set XDG_CACHE_HOME to a folder on a larger disk.';

/** The room on disk for the files that are in work at once: what they all still need must fit. */
export class DiskReservation {
  readonly #folder: string;
  readonly #signal: AbortSignal;
  /** Files in work, and complete ones that still take up room. */
  readonly #held = new Set<PartialFile>();
  #left = signalOnce();

  /** @param folder that exists when room is asked for */
  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * Reserves what a file still needs. Waits for other files to leave where they need the room.
   *
   * @throws HugError `EHUG_DISK_FULL` when there is too little for this file alone
   */
  async reserve(file: PartialFile): Promise<void> {
    while (true) {
      this.#signal.throwIfAborted();
      // Both from before the disk is asked: a file may leave meanwhile, and make room.
      const isAlone = this.#held.size === 0;
      const { happened } = this.#left;
      const free = await freeBytes(this.#folder);
      if (isAlone && file.missing > free)
        throw tooLittleSpace(this.#folder, file.missing, free, HINT);
      if (file.missing + this.#promised() <= free) break;
      await happened;
    }
    this.#held.add(file);
  }

  /** Gives back the room of a file that is gone, or in work no more. */
  leave(file: PartialFile): void {
    if (!this.#held.delete(file)) return;
    const { tell } = this.#left;
    this.#left = signalOnce();
    tell();
  }

  /** Bytes that the files in work will still write. */
  #promised(): number {
    return [...this.#held].reduce((sum, { missing }) => sum + missing, 0);
  }
}

/** A promise, and what fulfils it. */
function signalOnce(): { readonly happened: Promise<void>; readonly tell: () => void } {
  let tell = () => {};
  const happened = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { happened, tell };
}
