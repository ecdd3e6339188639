/** A piece of work that reports how far it is. */
export interface Task<T> {
  readonly title: string;
  readonly run: (report: (status: string) => void) => Promise<T>;
}

/** Runs tasks at once, to the end of each, and returns how each ended, in order. */
export type TaskRunner = <T>(tasks: readonly Task<T>[]) => Promise<PromiseSettledResult<T>[]>;

/** A file on its way. */
export interface Transfer<T> {
  /** What it belongs to: `models.mistral`, or a repository. */
  readonly entry: string;
  /** Its name in there: the path in the repository. */
  readonly title: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Reports what is being done, and how many bytes that has reached. On a terminal a file has a row from
   * its first report on; `downloading` shows as rate and time left, and 0 bytes as waiting.
   */
  readonly run: (report: (status: string, bytes: number) => void) => Promise<T>;
}

/** As `TaskRunner`, for many files: shows those that are under way, and the total. */
export type TransferRunner = <T>(
  transfers: readonly Transfer<T>[],
) => Promise<PromiseSettledResult<T>[]>;
