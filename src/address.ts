import type { RepoType } from './repo.ts';

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/**
 * The address of a Hub: http or https, a host, an optional port, and a path of the characters of
 * RFC 3986 (`pchar`); no credentials, query, fragment or white space. `nix/valid.nix` has the same
 * pattern, and `test/fixtures/endpoints.json` tests both.
 */
export const ENDPOINT =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?:[0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?$/u;
/** A longer text can exhaust the stack of Nix, which matches the same pattern. */
export const MAX_ENDPOINT = 2048;

/**
 * Why a text is not a valid address of a Hub; `undefined` when it is valid. The reason never quotes
 * the text, which may hold a password.
 */
export function badEndpointReason(endpoint: string): string | undefined {
  if (!/^https?:\/\//u.test(endpoint)) return 'must begin with "https://" or "http://"';
  if (/^[^/]*\/\/[^/?#]*@/u.test(endpoint)) return 'must not hold a user name or password';
  if (/[?#]/u.test(endpoint)) return 'must not have a query or a fragment';
  if (endpoint.length > MAX_ENDPOINT) return `has over ${MAX_ENDPOINT} characters`;
  // The URL parser checks the ranges of addresses and ports.
  return ENDPOINT.test(endpoint) && URL.canParse(endpoint) ? undefined : 'is not an address';
}

/** Address of a repository's page. */
export function repoPage(endpoint: string, type: RepoType, id: string): string {
  return `${endpoint}/${type === 'dataset' ? 'datasets/' : ''}${id}`;
}

/** A path that needs no encoding. */
const UNRESERVED = /^[A-Za-z0-9_.~/-]*$/u;

/** Percent-encodes a repository path as the Hub expects it: UTF-8 bytes, `/` kept. */
export function encodePath(path: string): string {
  if (UNRESERVED.test(path)) return path;
  return path.split('/').map(encodeSegment).join('/');
}

/** Percent-encodes one segment; only `A-Za-z0-9_.-~` stay (RFC 3986, unreserved characters). */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
