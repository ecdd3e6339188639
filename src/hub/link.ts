const LINK = /<(?<target>[^<>]*)>(?<parameters>[^<]*)/gu;
const NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\s*(?:[;,]|$))/iu;

/**
 * The target of `rel="next"` in a `Link` header (RFC 8288), made absolute.
 *
 * @param header the header's value, several joined by commas or as a list
 * @param base address of the answer that carries it
 * @returns `undefined` when there is no next page or its target is no address
 */
export function nextPage(
  header: string | readonly string[] | undefined,
  base: string,
): string | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  for (const { groups } of text.matchAll(LINK)) {
    if (groups?.['target'] !== undefined && NEXT.test(groups['parameters'] ?? '')) {
      return URL.canParse(groups['target'], base)
        ? new URL(groups['target'], base).href
        : undefined;
    }
  }
  return undefined;
}
