/** Shorter texts are no secrets: hiding them would tear words apart. */
export const MIN_SECRET_LENGTH = 8;

/**
 * Replaces secrets by `***`, also where only a beginning of 8 characters or more is left of one, as
 * in a text that was cut.
 */
export function hideSecrets(text: string, secrets: Iterable<string>): string {
  const known = [...secrets].filter((secret) => secret !== '');
  if (known.length === 0) return text;
  const starts = known.map((secret) => secret.slice(0, MIN_SECRET_LENGTH));
  const pattern = new RegExp(starts.map(escapePattern).join('|'), 'g');
  let hidden = '';
  let from = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { index } = match;
    hidden += `${text.slice(from, index)}***`;
    from = index + Math.max(...known.map((secret) => matchingLength(text, index, secret)));
    pattern.lastIndex = from;
  }
  return hidden + text.slice(from);
}

/** How many characters of a secret are in a text, from a position on. */
function matchingLength(text: string, at: number, secret: string): number {
  let length = 0;
  while (length < secret.length && text[at + length] === secret[length]) length += 1;
  return length;
}

const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
