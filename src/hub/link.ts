import { protocolError } from './protocol-error.ts';

const LINK = /<(?<target>[^<>]*)>(?<parameters>[^<]*)/gu;
const NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\s*(?:[;,]|$))/iu;

/**
 * The target of `rel="next"` in a `Link` header (RFC 8288), made absolute.
 *
 * @param header the header's value, several joined by commas or as a list
 * @param base address of the answer that carries it
 * @returns `undefined` when there is no next page
 * @throws HugError `EHUG_PROTOCOL` when its target is no address: what it has would be missing
 */
export function nextPage(
  header: string | readonly string[] | undefined,
  base: string,
): string | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  for (const { groups } of text.matchAll(LINK)) {
    if (groups?.['target'] !== undefined && NEXT.test(groups['parameters'] ?? '')) {
      if (URL.canParse(groups['target'], base)) return new URL(groups['target'], base).href;
      throw protocolError('the Hub names a next page that is no address');
    }
  }
  return undefined;
}
