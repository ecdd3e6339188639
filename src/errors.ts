/** Exit statuses of the process. */
export const EXIT = {
  ok: 0,
  failed: 1,
  invalid: 2,
  outOfDate: 3,
  /** Of `run`, as shells have it. */
  notExecutable: 126,
  notFound: 127,
  interrupted: 130,
} as const;

/**
 * Every error code with its exit status. A code is never reused for another meaning.
 */
export const ERROR_CODES = {
  /** A command, option or value is unknown, or options contradict each other. */
  EHUG_USAGE: EXIT.invalid,
  /** There is no `hug.yaml` in the working directory or a folder above it. */
  EHUG_MANIFEST_MISSING: EXIT.invalid,
  /** The manifest has one or more problems; `details` holds `file:line:column` for each. */
  EHUG_MANIFEST_INVALID: EXIT.invalid,
  /** The manifest is valid, but `add` and `remove` cannot edit its style of YAML. */
  EHUG_MANIFEST_STYLE: EXIT.invalid,
  /** Another program changed the manifest while the command ran. */
  EHUG_MANIFEST_CHANGED: EXIT.failed,
  /** The name of an entry is taken, or several entries could be meant. */
  EHUG_ENTRY_EXISTS: EXIT.invalid,
  /** A model and a dataset have the name. */
  EHUG_ENTRY_AMBIGUOUS: EXIT.invalid,
  /** The argument is not a repository, such as `org/name`, `hf:gpt2` or an address on the Hub. */
  EHUG_REPO_INVALID: EXIT.invalid,
  /** A model and a dataset have the repository id. */
  EHUG_REPO_AMBIGUOUS: EXIT.invalid,
  /** There is no `hug.lock.json` beside the manifest. */
  EHUG_LOCK_MISSING: EXIT.invalid,
  /** No entry has that name. */
  EHUG_ENTRY_UNKNOWN: EXIT.invalid,
  /** No entry is in that group. */
  EHUG_GROUP_UNKNOWN: EXIT.invalid,
  /** The lock is not JSON, or does not match its schema. */
  EHUG_LOCK_INVALID: EXIT.invalid,
  /** An argument of `diff` is neither a file nor a revision that git can read. */
  EHUG_LOCK_REVISION: EXIT.invalid,
  /** A newer nix-hug wrote the lock. */
  EHUG_LOCK_NEWER: EXIT.invalid,
  /** The lock has an older version of the format, which only `nix-hug lock` upgrades. */
  EHUG_LOCK_OLD: EXIT.invalid,
  /** The lock has conflict markers that this command does not repair. */
  EHUG_LOCK_CONFLICT: EXIT.invalid,
  /** The lock is out of date, and `run` and `env` refuse to use it. */
  EHUG_LOCK_STALE: EXIT.outOfDate,
  /** Another program changed the lock while the command ran. */
  EHUG_LOCK_CHANGED: EXIT.failed,
  /** The lock is not a regular file, or a symbolic link stands where it would be written. */
  EHUG_LOCK_NOT_A_FILE: EXIT.failed,
  /** A file or folder cannot be read or written. */
  EHUG_FILE_SYSTEM: EXIT.failed,
  /** The disk has too little free space for a download. */
  EHUG_DISK_FULL: EXIT.failed,
  /** A path is absolute, leaves its folder or has control characters. */
  EHUG_UNSAFE_PATH: EXIT.failed,
  /** A selection leaves no file, or names a file that does not exist. */
  EHUG_SELECTION: EXIT.failed,
  /** No tag of the repository is in the version range. */
  EHUG_VERSION: EXIT.failed,
  /** The command needs the network, and `--offline` or `HF_HUB_OFFLINE` forbids it. */
  EHUG_OFFLINE: EXIT.failed,
  /** A file is missing or damaged in the Hugging Face cache. */
  EHUG_NOT_CACHED: EXIT.failed,
  /** The connection failed, timed out or broke, also after all retries. */
  EHUG_NETWORK: EXIT.failed,
  /** The rate limit of the Hub is used up, for longer than nix-hug waits. */
  EHUG_RATE_LIMIT: EXIT.failed,
  /** The Hub sent an error of its own (status 5xx or an unknown one). */
  EHUG_HUB: EXIT.failed,
  /** The Hub sent a response that nix-hug cannot interpret. */
  EHUG_PROTOCOL: EXIT.failed,
  /** The endpoint, such as a mirror, does not serve this part of the Hub's API. */
  EHUG_NOT_SERVED: EXIT.failed,
  /** The repository does not exist, or is private and the token is missing or may not read it. */
  EHUG_REPO_NOT_FOUND: EXIT.failed,
  /** Another repository has taken the name of the locked one. */
  EHUG_REPO_REPLACED: EXIT.failed,
  /** What an entry needs cannot be locked: it is missing, private, gated, or too much. */
  EHUG_DEPENDENCY: EXIT.failed,
  /** An entry, or what it needs, breaks the policy of the manifest; `details` has each violation. */
  EHUG_POLICY: EXIT.failed,
  /** The repository is gated, and access has not been granted. */
  EHUG_GATED: EXIT.failed,
  /** The branch, tag or commit does not exist in the repository. */
  EHUG_REVISION_NOT_FOUND: EXIT.failed,
  /** The file does not exist at that commit. */
  EHUG_FILE_NOT_FOUND: EXIT.failed,
  /** The Hub has disabled the repository. */
  EHUG_DISABLED: EXIT.failed,
  /** The Hub rejected the token, or it has invalid characters. */
  EHUG_TOKEN: EXIT.failed,
  /** The token has no permission, or a mirror or proxy forbids access. */
  EHUG_FORBIDDEN: EXIT.failed,
  /** Bytes differ from their digest or size. */
  EHUG_INTEGRITY: EXIT.failed,
  /** The command needs Nix, which is not on `PATH`. */
  EHUG_NIX_MISSING: EXIT.failed,
  /** A command of Nix failed; `details` has its output. */
  EHUG_NIX: EXIT.failed,
  /** The program that `run` is to start does not exist. */
  EHUG_PROGRAM_NOT_FOUND: EXIT.notFound,
  /** The program that `run` is to start cannot be executed. */
  EHUG_PROGRAM: EXIT.notExecutable,
  /** The user pressed Ctrl-C, or the process got SIGTERM. */
  EHUG_INTERRUPTED: EXIT.interrupted,
  /** `serve` cannot listen on the address: it is in use, or does not belong to this machine. */
  EHUG_LISTEN: EXIT.failed,
  /** A defect of nix-hug itself. */
  EHUG_INTERNAL: EXIT.failed,
} as const;

/** A stable code, for programs. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The parts of an error beside code and message. */
interface HugErrorOptions {
  /** What the user can do, a command where one helps. */
  hint?: string | undefined;
  /** Further lines, one per problem, when there are several. */
  details?: readonly string[];
  /** The error underneath, shown with `--debug`. */
  cause?: unknown;
}

/**
 * An error that a user can act on; every other thrown value is a defect. The message is one sentence
 * and never has a secret.
 */
export class HugError extends Error {
  override readonly name = 'HugError';
  /** Stable, for programs. */
  readonly code: ErrorCode;
  /** What the user can do. */
  readonly hint: string | undefined;
  /** Further lines, one per problem, when there are several. */
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, options: HugErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? [];
  }

  /** The same error with the place that it is about. */
  within(place: string): HugError {
    return this.#copy(`${place}: ${this.message}`, this.details);
  }

  /** The same error, with other errors of the run, their hints and notes added to its details. */
  with(others: readonly HugError[], notes: readonly string[] = []): HugError {
    const lines = others.flatMap(({ message, details, hint }) => [
      message,
      ...details,
      ...(hint === undefined || hint === this.hint ? [] : [`  hint: ${hint}`]),
    ]);
    return this.#copy(this.message, [...this.details, ...lines, ...notes]);
  }

  #copy(message: string, details: readonly string[]): HugError {
    const { code, hint, cause } = this;
    return new HugError(code, message, { details, cause, hint });
  }

  /** Exit status of the process after this error. */
  get exitStatus(): number {
    return ERROR_CODES[this.code];
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ECONNRESET`…) of any thrown value. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** The error for arguments and options that contradict each other. */
export const usageError = (message: string, hint = 'See nix-hug --help.'): HugError =>
  new HugError('EHUG_USAGE', message, { hint });
