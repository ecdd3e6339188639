import { HugError } from '../errors.ts';
import { escapeControls } from '../quote.ts';
import { type RepoType, repoPage } from '../repo.ts';
import * as v from 'valibot';

/** The error for an answer that no Hub gives: something else may answer in its place. */
export const protocolError = (message: string, cause?: unknown): HugError =>
  new HugError('EHUG_PROTOCOL', message, {
    hint: 'Is HF_ENDPOINT the address of a Hub? Does a proxy or a login page answer instead?',
    cause,
  });

/** What a request was about, for the message. */
export interface Subject {
  readonly type: RepoType;
  /** Repository id. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly ref?: string;
  /** File in the repository. */
  readonly path?: string;
}

/** The parts of an answer that tell why the Hub refuses. */
export interface Refusal {
  readonly status: number;
  /** `X-Error-Code`: one word for the reason, such as `GatedRepo`; not every refusal has it. */
  readonly errorCode: string | undefined;
  /** `X-Error-Message`, or the body. */
  readonly errorMessage: string;
  readonly requestId: string | undefined;
}

/** What the client knows about itself when it is refused. */
export interface Caller {
  readonly endpoint: string;
  readonly hasToken: boolean;
}

/** Turns a refusing answer (status 400 and above) into the error that the user sees. */
export function errorOfRefusal(refusal: Refusal, subject: Subject, caller: Caller): HugError {
  const { type, id, ref, path } = subject;
  const repo = `${type} ${id}`;
  const page = repoPage(caller.endpoint, type, id);
  const { status, errorCode, errorMessage } = refusal;
  if (errorCode === 'GatedRepo') return gatedError(subject, caller);
  if (errorCode === 'RevisionNotFound') {
    return new HugError('EHUG_REVISION_NOT_FOUND', `${repo} has no revision ${jsonText(ref)}`, {
      hint: `Look at its branches and tags: ${page}/tree/main`,
    });
  }
  if (errorCode === 'EntryNotFound') {
    return new HugError('EHUG_FILE_NOT_FOUND', `${repo} has no file ${jsonText(path)} at ${ref}`, {
      hint: `Look at its files: ${page}/tree/${ref}`,
    });
  }
  if (/access to this resource is disabled/iu.test(errorMessage)) {
    return new HugError('EHUG_DISABLED', `the Hub has disabled ${repo}`, { hint: `See ${page}` });
  }
  if (status === 401 && caller.hasToken) {
    return new HugError('EHUG_TOKEN', `the Hub refuses the token, asked for ${repo}`, {
      hint: 'Check HF_TOKEN, or log in again with: hf auth login',
    });
  }
  if (errorCode === 'RepoNotFound' || status === 401 || status === 404) {
    return new HugError('EHUG_REPO_NOT_FOUND', `${repo} does not exist, or is private`, {
      hint: caller.hasToken
        ? 'Check the spelling, and whether the token may read it.'
        : 'Check the spelling; for a private one set HF_TOKEN, or log in with: hf auth login',
    });
  }
  const said = errorMessage === '' ? '' : `: ${oneLine(errorMessage)}`;
  if (status === 403) {
    return new HugError('EHUG_FORBIDDEN', `the Hub forbids ${repo}${said}`, {
      hint: caller.hasToken
        ? 'Check what the token may read; a mirror or a proxy may refuse, too.'
        : 'Set HF_TOKEN, or log in with: hf auth login; a mirror or a proxy may refuse, too.',
    });
  }
  if (status === 429) {
    return new HugError('EHUG_RATE_LIMIT', `the Hub's rate limit is used up, asked for ${repo}`, {
      hint: caller.hasToken
        ? 'Try again in some minutes.'
        : 'Set HF_TOKEN for a higher limit, or try again in some minutes.',
    });
  }
  const request = refusal.requestId === undefined ? '' : ` (request ${refusal.requestId})`;
  return new HugError('EHUG_HUB', `the Hub answers ${status} for ${repo}${said}${request}`, {
    hint: 'Try again in some minutes; if it stays, report it with the output of --debug.',
  });
}

/**
 * The error for a refusal by the storage that a file is redirected to. A signed address is good for
 * an hour only, so another one may help.
 *
 * @param origin of the storage
 */
export function errorOfStorage(refusal: Refusal, subject: Subject, origin: string): HugError {
  const what = `${origin} answers ${refusal.status} for ${nameOf(subject)}`;
  return new HugError('EHUG_HUB', what, {
    hint: 'The Hub keeps its files there. Try again in some minutes.',
  });
}

/** The error for a repository whose weights the caller has no access to. */
export function gatedError(subject: Subject, caller: Caller): HugError {
  const page = repoPage(caller.endpoint, subject.type, subject.id);
  return new HugError('EHUG_GATED', `${subject.type} ${subject.id} is gated`, {
    hint: caller.hasToken
      ? `Ask for access on ${page}; the token in use has none.`
      : `Ask for access on ${page}, then set HF_TOKEN or log in with: hf auth login`,
  });
}

/** A repository, or the file of it that a request is about, as messages name it. */
export function nameOf({ type, id, path }: Subject): string {
  return path === undefined ? `${type} ${id}` : `${jsonText(path)} of ${type} ${id}`;
}

const jsonText = (text: string | undefined): string => JSON.stringify(text ?? '');

const oneLine = (text: string): string =>
  escapeControls(text.replace(/\s+/gu, ' ').trim().slice(0, 200).toWellFormed());

/**
 * The body of an answer as its schema describes it.
 *
 * @throws HugError `EHUG_PROTOCOL`
 */
export function checkedReply<S extends v.GenericSchema>(
  schema: S,
  body: unknown,
  subject: Subject,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidReply(subject, `${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`);
}

/** The error for an answer that cannot be true. */
export function invalidReply(subject: Subject, what: string): HugError {
  return new HugError(
    'EHUG_PROTOCOL',
    `the Hub's answer for ${subject.type} ${subject.id} makes no sense: ${what}`,
    { hint: 'Run it again; if it stays, report it with the output of --debug.' },
  );
}
