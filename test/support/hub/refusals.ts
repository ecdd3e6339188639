import type { Scheme, Standing } from './access.ts';
import { type Headers, json, plain, type Reply } from './reply.ts';
import type { Repository } from './repository.ts';

interface RefusalOptions {
  /** `X-Error-Code`, absent for some refusals. */
  readonly code?: string;
  readonly headers?: Headers;
  /** How a 401 asks for a token; default `bearer`. */
  readonly scheme?: Scheme;
}

/** A request that the hub answers with an error. Thrown by handlers. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Headers;

  constructor(status: number, message: string, options: RefusalOptions = {}) {
    const { code, headers = {}, scheme = 'bearer' } = options;
    super(message);
    this.status = status;
    this.headers = {
      ...(code === undefined ? {} : { 'X-Error-Code': code }),
      'X-Error-Message': message.replace(/[^ -~]/gu, '?'),
      ...(status === 401 ? { 'WWW-Authenticate': CHALLENGES[scheme] } : {}),
      ...headers,
    };
  }

  /** JSON under `/api/`, plain text elsewhere. */
  reply(path: string): Reply {
    return path.startsWith('/api/')
      ? json({ error: this.message }, this.headers, this.status)
      : plain(this.message, this.headers, this.status);
  }
}

const REALM = 'realm="Authentication required", charset="UTF-8"';
const CHALLENGES: Readonly<Record<Scheme, string>> = {
  bearer: `Bearer ${REALM}`,
  basic: `Basic ${REALM}`,
};

/** A token the hub does not know, or none where one is needed. */
export const unauthenticated = (scheme: Scheme = 'bearer'): Refusal =>
  new Refusal(401, 'Invalid username or password.', { scheme });

/** A repository that is not there for this caller; anonymous ones do not learn which it is. */
export const repoMissing = (anonymous: boolean, scheme: Scheme = 'bearer'): Refusal =>
  anonymous
    ? unauthenticated(scheme)
    : new Refusal(404, 'Repository not found', { code: 'RepoNotFound' });

export const repoDisabled = (): Refusal => new Refusal(403, 'Access to this resource is disabled.');

/** Content of a gated repository that this caller may not read. */
export function gated(
  repo: Repository,
  standing: Exclude<Standing, 'granted'>,
  scheme: Scheme = 'bearer',
): Refusal {
  const { type, id } = repo;
  const messages = {
    anonymous: `Access to ${type} ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
    unlisted: `Access to ${type} ${id} is restricted and you are not in the authorized list. Visit https://huggingface.co/${type === 'dataset' ? 'datasets/' : ''}${id} to ask for access.`,
    pending: `Your request to access ${type} ${id} is awaiting a review from the repo authors.`,
  };
  const status = standing === 'anonymous' ? 401 : 403;
  return new Refusal(status, messages[standing], { code: 'GatedRepo', scheme });
}

export const revisionMissing = (revision: string): Refusal =>
  new Refusal(404, `Invalid rev id: ${revision}`, { code: 'RevisionNotFound' });

export const entryMissing = (message = 'Entry not found', headers: Headers = {}): Refusal =>
  new Refusal(404, message, { code: 'EntryNotFound', headers });

/** An address that is none of the hub's. */
export const routeMissing = (): Refusal =>
  new Refusal(404, "Sorry, we can't find the page you are looking for.");

export const badRequest = (message: string): Refusal => new Refusal(400, message);
