import type { FileAtRevision } from '../git/show-file.ts';
import type { HubApi } from '../hub/api.ts';
import type { Nix } from '../store/nix.ts';
import type { OpenDownloads } from '../copy/sources.ts';
import type { TaskRunner, TransferRunner } from '../output/tasks.ts';

/** Services and settings of every command. */
export interface CommandContext {
  readonly cwd: string;
  /** `--manifest`. */
  readonly manifest?: string | undefined;
  /** The present, in ms since 1970. */
  readonly now: number;
  /** `HF_ENDPOINT`. */
  readonly endpoint?: string | undefined;
  /** Whether `--offline` or `HF_HUB_OFFLINE` forbids the network. */
  readonly offline: boolean;
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Whether `HF_HUB_DISABLE_SYMLINKS` asks for files rather than links there. */
  readonly isPlain: boolean;
  /** Folder of the views that `run` makes. */
  readonly viewsFolder: string;
  /** Folder of the template of a new project. */
  readonly templateFolder: string;
  /** Folder of the Nix library of this nix-hug. */
  readonly nixLibrary: string;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /**
   * Opens a Hub client; the caller closes it.
   *
   * @param endpoint address that a manifest or a lock names
   */
  readonly connect: (endpoint: string | undefined) => Promise<HubApi>;
  readonly openDownloads: OpenDownloads;
  readonly openNix: () => Promise<Nix>;
  /** Reads a file of a folder as a revision of git has it; see `showFile`. */
  readonly showFile: (folder: string, name: string, revision: string) => Promise<FileAtRevision>;
  readonly runTasks: TaskRunner;
  readonly runTransfers: TransferRunner;
  /** Asks the user; `undefined` without a terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  readonly warn: (line: string) => void;
  /** Shown with `--debug`. */
  readonly debug: (line: string) => void;
}
