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

/** The tokens a hub knows. */
export class Tokens {
  readonly #known = new Map<string, TokenOptions>();

  add(token: string, options: TokenOptions = {}): void {
    this.#known.set(`Bearer ${token}`, options);
  }

  /**
   * @param authorization value of the request's header
   * @throws Refusal for anything but a known bearer token, on public repositories too
   */
  caller(authorization: string | undefined): Caller {
    if (authorization === undefined) return undefined;
    const caller = this.#known.get(authorization);
    if (caller === undefined) throw unauthenticated();
    return caller;
  }
}

export function standing(caller: Caller, repo: Repository): Standing {
  if (!repo.private && repo.gated === false) return 'granted';
  if (caller === undefined) return 'anonymous';
  if (caller.pending?.includes(repo.id) === true) return 'pending';
  return caller.repos?.includes(repo.id) === false ? 'unlisted' : 'granted';
}
