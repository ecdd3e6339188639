import type { Repository } from './repository.ts';
import { unauthenticated } from './refusals.ts';

/** What a token may do; ids are canonical ones. */
export interface TokenOptions {
  /** Gated and private repositories it may read; default all. */
  readonly repos?: readonly string[];
  /** Gated repositories whose request for access is awaiting a review. */
  readonly pending?: readonly string[];
}

/** How a caller stands to the content of a repository. */
export type Standing = 'granted' | 'anonymous' | 'unlisted' | 'pending';

/** Who sends a request: the rights of a token, or nobody. */
export type Caller = TokenOptions | undefined;

/** How a token may be sent: in a header of its own, or as the password that git asks for. */
export type Scheme = 'bearer' | 'basic';

/** The tokens a hub knows. */
export class Tokens {
  readonly #known = new Map<string, TokenOptions>();

  add(token: string, options: TokenOptions = {}): void {
    this.#known.set(token, options);
  }

  /**
   * @param authorization value of the request's header
   * @throws Refusal for anything but a known token in this scheme, on public repositories too
   */
  caller(authorization: string | undefined, scheme: Scheme): Caller {
    if (authorization === undefined) return undefined;
    const caller = this.#known.get(tokenIn(authorization, scheme) ?? '');
    if (caller === undefined) throw unauthenticated(scheme);
    return caller;
  }
}

/** The token of a header; the user name beside a password does not matter. */
function tokenIn(authorization: string, scheme: Scheme): string | undefined {
  if (scheme === 'bearer') return /^Bearer (?<token>.+)$/u.exec(authorization)?.groups?.['token'];
  const encoded = /^Basic (?<pair>.+)$/u.exec(authorization)?.groups?.['pair'] ?? '';
  return Buffer.from(encoded, 'base64').toString().split(/:(.*)/su)[1];
}

export function standing(caller: Caller, repo: Repository): Standing {
  if (!repo.private && repo.gated === false) return 'granted';
  if (caller === undefined) return 'anonymous';
  if (caller.pending?.includes(repo.id) === true) return 'pending';
  return caller.repos?.includes(repo.id) === false ? 'unlisted' : 'granted';
}
