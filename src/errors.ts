/** Exit status of the process for each way a command can end. */
export const EXIT = { ok: 0, failed: 1, invalid: 2, outOfDate: 3, interrupted: 130 } as const;

/**
 * Every error code a user can meet, with the exit status it leads to.
 * A code is never reused for another meaning.
 */
export const ERROR_CODES = {
  /** Unknown command or option, or an option value of the wrong kind. */
  EHUG_USAGE: EXIT.invalid,
  /** No `hug.yaml` between the working directory and the file system root. */
  EHUG_MANIFEST_MISSING: EXIT.invalid,
  /** The manifest has one or more problems; `details` holds `file:line:column` for each. */
  EHUG_MANIFEST_INVALID: EXIT.invalid,
  /** The manifest is valid, but written in a way that `add` and `remove` cannot change. */
  EHUG_MANIFEST_STYLE: EXIT.invalid,
  /** The manifest was changed by someone else in the meantime. */
  EHUG_MANIFEST_CHANGED: EXIT.failed,
  /** `init` would overwrite a file. */
  EHUG_FILE_EXISTS: EXIT.invalid,
  /** The manifest already has an entry of that name, or of that repository. */
  EHUG_ENTRY_EXISTS: EXIT.invalid,
  /** A name stands for a model and a dataset. */
  EHUG_ENTRY_AMBIGUOUS: EXIT.invalid,
  /** A repository form was expected: `org/name`, `hf:gpt2`, an address on the Hub… */
  EHUG_REPO_INVALID: EXIT.invalid,
  /** An id without a type names a model and a dataset. */
  EHUG_REPO_AMBIGUOUS: EXIT.invalid,
  /** There is no `hug.lock.json` beside the manifest. */
  EHUG_LOCK_MISSING: EXIT.invalid,
  /** There is no entry of that name. */
  EHUG_ENTRY_UNKNOWN: EXIT.invalid,
  /** The lock is not JSON, or not of the shape of its schema. */
  EHUG_LOCK_INVALID: EXIT.invalid,
  /** The lock was written by a newer nix-hug. */
  EHUG_LOCK_NEWER: EXIT.invalid,
  /** The lock has conflict markers that nix-hug cannot repair, or not by this command. */
  EHUG_LOCK_CONFLICT: EXIT.invalid,
  /** The lock was changed by someone else in the meantime. */
  EHUG_LOCK_CHANGED: EXIT.failed,
  /** The lock is not a regular file, or is to be written where a symbolic link is. */
  EHUG_LOCK_NOT_A_FILE: EXIT.failed,
  /** A file or folder could not be read or written. */
  EHUG_FILE_SYSTEM: EXIT.failed,
  /** Not enough free space for what is to be downloaded. */
  EHUG_DISK_FULL: EXIT.failed,
  /** A path is absolute, leaves its folder or holds control characters. */
  EHUG_UNSAFE_PATH: EXIT.failed,
  /** A selection leaves no file, or names a file that does not exist. */
  EHUG_SELECTION: EXIT.failed,
  /** No tag of the repository satisfies the version range. */
  EHUG_VERSION: EXIT.failed,
  /** The network is needed but `--offline` or `HF_HUB_OFFLINE` forbids it. */
  EHUG_OFFLINE: EXIT.failed,
  /** The Hugging Face cache lacks a file, or has it in no sound state. */
  EHUG_NOT_CACHED: EXIT.failed,
  /** The connection failed, timed out or broke, after all retries. */
  EHUG_NETWORK: EXIT.failed,
  /** The Hub asked to slow down for longer than nix-hug is willing to wait. */
  EHUG_RATE_LIMIT: EXIT.failed,
  /** The Hub answered with an error of its own (5xx or an unknown status). */
  EHUG_HUB: EXIT.failed,
  /** The Hub answered something that is not the protocol. */
  EHUG_PROTOCOL: EXIT.failed,
  /** The repository does not exist, is private, or the token is missing or invalid. */
  EHUG_REPO_NOT_FOUND: EXIT.failed,
  /** The repository asks for an access request that has not been granted. */
  EHUG_GATED: EXIT.failed,
  /** The branch, tag or commit does not exist. */
  EHUG_REVISION_NOT_FOUND: EXIT.failed,
  /** The file does not exist at that commit. */
  EHUG_FILE_NOT_FOUND: EXIT.failed,
  /** The Hub has disabled the repository. */
  EHUG_DISABLED: EXIT.failed,
  /** The token is refused, or cannot be a token. */
  EHUG_TOKEN: EXIT.failed,
  /** The token has no permission for this. */
  EHUG_FORBIDDEN: EXIT.failed,
  /** Bytes differ from their digest or size. */
  EHUG_INTEGRITY: EXIT.failed,
  /** Nix is needed and is not on `PATH`. */
  EHUG_NIX_MISSING: EXIT.failed,
  /** A Nix tool failed; `details` holds what it said. */
  EHUG_NIX: EXIT.failed,
  /** The user pressed Ctrl-C or the process was told to stop. */
  EHUG_INTERRUPTED: EXIT.interrupted,
  /** A defect of nix-hug itself. */
  EHUG_INTERNAL: EXIT.failed,
} as const;

/** What went wrong, for programs; stable. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What accompanies an error message. */
export interface HugErrorOptions {
  /** One sentence on what the user can do. */
  hint?: string;
  /** Further lines, one per problem, when there are several. */
  details?: readonly string[];
  /** The error underneath, shown with `--debug`. */
  cause?: unknown;
}

/**
 * An error that a user can act on. Anything else that is thrown is a defect.
 * The message is one sentence that says what went wrong and never holds a secret.
 */
export class HugError extends Error {
  override readonly name = 'HugError';
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** One sentence on what the user can do. */
  readonly hint: string | undefined;
  /** Further lines, one per problem, when there are several. */
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, options: HugErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? [];
  }

  /** The same error, said of a part of the whole. */
  within(place: string): HugError {
    return this.#copy(`${place}: ${this.message}`, this.details);
  }

  /** The same error, with other errors of the same run and notes as its details. */
  with(others: readonly HugError[], notes: readonly string[] = []): HugError {
    const lines = others.flatMap((other) => [other.message, ...other.details]);
    return this.#copy(this.message, [...this.details, ...lines, ...notes]);
  }

  #copy(message: string, details: readonly string[]): HugError {
    const { code, hint, cause } = this;
    return new HugError(code, message, {
      details,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** The exit status this error leads to. */
  get exitStatus(): number {
    return ERROR_CODES[this.code];
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ECONNRESET`…) of anything that was thrown. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** The error for arguments and options that make no sense together. */
export const usageError = (message: string, hint = 'See nix-hug --help.'): HugError =>
  new HugError('EHUG_USAGE', message, { hint });
