import { HugError } from '../errors.ts';
import { sriOfText } from '../integrity.ts';
import type { Http } from './http.ts';
import { nextPage } from './link.ts';
import type { Subject } from './refusal.ts';
import { senseless } from './reply.ts';
import { MASK } from './tree.ts';

/**
 * SHA-256, in SRI form, of the Hub's answer about a tree; or why there is none: it has several
 * `pages`, or it is `closed` to those without a token.
 */
export type TreePin = { readonly hash: string } | { readonly obstacle: 'pages' | 'closed' };

/** Entries on a full page. Nix does not see whether another one follows, and refuses a full one. */
const PAGE_SIZE = 1_000;

/**
 * Asks for a tree as Nix does.
 *
 * @param address the very address that Nix asks
 */
export async function pinTree(http: Http, address: string, subject: Subject): Promise<TreePin> {
  const answer = await http.publicText(address, subject).catch(closedAsUndefined);
  if (answer === undefined) return { obstacle: 'closed' };
  const { text, headers } = answer;
  if (nextPage(headers['link'], address) !== undefined) return { obstacle: 'pages' };
  if (entryCount(text, subject) >= PAGE_SIZE) return { obstacle: 'pages' };
  return text.includes(`"${MASK}"`) ? { obstacle: 'closed' } : { hash: sriOfText(text) };
}

/** A repository that was there with the token is not gone, but private. */
function closedAsUndefined(error: unknown): undefined {
  const codes = ['EHUG_REPO_NOT_FOUND', 'EHUG_GATED', 'EHUG_FORBIDDEN'];
  if (error instanceof HugError && codes.includes(error.code)) return undefined;
  throw error;
}

function entryCount(text: string, subject: Subject): number {
  try {
    const entries: unknown = JSON.parse(text);
    if (Array.isArray(entries)) return entries.length;
  } catch {
    // Said below.
  }
  throw senseless(subject, 'its tree is not a list');
}
