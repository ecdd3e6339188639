import { type ErrorCode, HugError } from '../errors.ts';
import { escapeControls } from '../quote.ts';
import { type RepoType } from '../repo.ts';
import { repoPage } from '../address.ts';
import * as v from 'valibot';

/** The error for a response that nix-hug cannot interpret: it may come from another server. */
export const protocolError = (message: string, cause?: unknown): HugError =>
  new HugError('EHUG_PROTOCOL', message, {
    hint: 'Check that HF_ENDPOINT is the address of a Hub, and that no proxy or login page answers instead.',
    cause,
  });

/** Errors for what a Hub does not give, or not to this user. */
const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_DISABLED',
  'EHUG_GATED',
  'EHUG_FORBIDDEN',
  'EHUG_NOT_SERVED',
]);

/** Whether a Hub does not have a repository or a commit any more, or does not give it to this user. */
export const isUnavailable = (error: unknown): error is HugError =>
  error instanceof HugError && UNAVAILABLE.has(error.code);

/** What a request is about, for messages. */
export interface Subject {
  readonly type: RepoType;
  /** Repository id. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly ref?: string;
  /** File in the repository. */
  readonly path?: string;
  /**
   * Whether the commit is known to exist, from an earlier response or a lock. A 404 without
   * `X-Error-Code`, which the Hub never sends, then says that the endpoint lacks the route.
   */
  readonly isKnown?: boolean;
}

/** The parts of an error response that give the reason. */
export interface Refusal {
  /** Address that answered. */
  readonly address: string;
  readonly status: number;
  /** `X-Error-Code`, such as `GatedRepo`; not every error response has it. */
  readonly errorCode: string | undefined;
  /** `X-Error-Message`, or the body. */
  readonly errorMessage: string;
  readonly requestId: string | undefined;
}

/** Who sent the request. */
export interface Caller {
  readonly endpoint: string;
  readonly hasToken: boolean;
}

/** The error that the user sees for an error response (status 400 and above). */
export function errorOfRefusal(refusal: Refusal, subject: Subject, caller: Caller): HugError {
  const { type, id, ref, path } = subject;
  const { status, errorCode, errorMessage, requestId } = refusal;
  const { hasToken } = caller;
  const repo = `${type} ${id}`;
  const page = repoPage(caller.endpoint, type, id);
  const error = (code: ErrorCode, message: string, hint: string) =>
    new HugError(code, message, { hint });

  if (errorCode === 'GatedRepo') return gatedError(subject, caller);
  if (errorCode === 'RevisionNotFound') {
    const hint = `Its branches and tags are listed on ${page}/tree/main`;
    return error('EHUG_REVISION_NOT_FOUND', `${repo} has no revision ${jsonText(ref)}`, hint);
  }
  if (errorCode === 'EntryNotFound') {
    const hint = `Its files are listed on ${page}/tree/${ref}`;
    return error('EHUG_FILE_NOT_FOUND', `${repo} has no file ${jsonText(path)} at ${ref}`, hint);
  }
  if (/access to this resource is disabled/iu.test(errorMessage)) {
    return error('EHUG_DISABLED', `the Hub has disabled ${repo}`, `See ${page}`);
  }
  if (status === 404 && errorCode === undefined && subject.isKnown === true) {
    const { origin, pathname } = new URL(refusal.address);
    const hint = 'A mirror may lack this route of the Hub: set HF_ENDPOINT to a Hub that has it.';
    const message = `the endpoint ${origin} does not serve ${pathname} (request for ${repo})`;
    return error('EHUG_NOT_SERVED', message, hint);
  }
  if (status === 401 && hasToken) {
    const hint = 'Check HF_TOKEN, or log in again with: hf auth login';
    return error('EHUG_TOKEN', `the Hub rejected the token (request for ${repo})`, hint);
  }
  if (errorCode === 'RepoNotFound' || status === 401 || status === 404) {
    const hint = hasToken
      ? 'Check the spelling, and that the token may read it.'
      : 'Check the spelling. For a private repository set HF_TOKEN, or log in with: hf auth login';
    return error('EHUG_REPO_NOT_FOUND', `${repo} does not exist, or is private`, hint);
  }
  const reason = errorMessage === '' ? '' : `: ${oneLine(errorMessage)}`;
  if (status === 403) {
    const hint = hasToken
      ? 'Check the permissions of the token. A mirror or a proxy may refuse, too.'
      : 'Set HF_TOKEN, or log in with: hf auth login. A mirror or a proxy may refuse, too.';
    return error('EHUG_FORBIDDEN', `the Hub forbids ${repo}${reason}`, hint);
  }
  if (status === 429) {
    const hint = hasToken
      ? 'Try again in some minutes.'
      : 'Set HF_TOKEN for a higher limit, or try again in some minutes.';
    const message = `the rate limit of the Hub is used up (request for ${repo})`;
    return error('EHUG_RATE_LIMIT', message, hint);
  }
  const request = requestId === undefined ? '' : ` (request ${oneLine(requestId)})`;
  return error(
    'EHUG_HUB',
    `the Hub answers ${status} for ${repo}${reason}${request}`,
    'Try again in some minutes; if it stays, report it with the output of --debug.',
  );
}

/**
 * The error for an error response of the storage that a file is redirected to. A signed address
 * expires after an hour, so a retry with a new one may help.
 *
 * @param origin of the storage
 */
export function errorOfStorage(refusal: Refusal, subject: Subject, origin: string): HugError {
  const what = `${origin} answers ${refusal.status} for ${nameOf(subject)}`;
  return new HugError('EHUG_HUB', what, {
    hint: 'The Hub stores files there. Try again in some minutes.',
  });
}

/** The error for a gated repository that the caller has no access to. */
export function gatedError(subject: Subject, caller: Caller): HugError {
  const page = repoPage(caller.endpoint, subject.type, subject.id);
  return new HugError('EHUG_GATED', `${subject.type} ${subject.id} is gated`, {
    hint: caller.hasToken
      ? `Ask for access on ${page}; the token in use has none.`
      : `Ask for access on ${page}, then set HF_TOKEN or log in with: hf auth login`,
  });
}

/** The repository or file that a request is about, as messages name it. */
export function nameOf({ type, id, path }: Subject): string {
  return path === undefined ? `${type} ${id}` : `${jsonText(path)} of ${type} ${id}`;
}

const jsonText = (text: string | undefined): string => JSON.stringify(text ?? '');

const oneLine = (text: string): string =>
  escapeControls(text.replace(/\s+/gu, ' ').trim().slice(0, 200).toWellFormed());

/**
 * The body of a response, checked against its schema.
 *
 * @throws HugError `EHUG_PROTOCOL`
 */
export function checkedReply<S extends v.GenericSchema>(
  schema: S,
  body: unknown,
  subject: Subject,
): v.InferOutput<S> {
  // A long list of wrong items would fill the memory with issues.
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidReply(subject, `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}`);
}

/** The error for a response with the right status and wrong content. */
export function invalidReply(subject: Subject, what: string): HugError {
  return new HugError(
    'EHUG_PROTOCOL',
    `the Hub sent an invalid response for ${subject.type} ${subject.id}: ${what}`,
    { hint: 'Run it again; if it stays, report it with the output of --debug.' },
  );
}
