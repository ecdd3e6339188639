/** A piece of work that reports how far it is. */
export interface Task<T> {
  readonly title: string;
  readonly run: (report: (status: string) => void) => Promise<T>;
}

/** Runs tasks at once, to the end of each, and returns how each ended, in order. */
export type TaskRunner = <T>(tasks: readonly Task<T>[]) => Promise<PromiseSettledResult<T>[]>;
