/** Shorter texts are no secrets: hiding them would tear words apart. */
export const MIN_SECRET_LENGTH = 8;

/**
 * Replaces secrets by `***`, also where only a beginning of 8 characters or more is left of one, as
 * in a text that was cut.
 */
export function hideSecrets(text: string, secrets: Iterable<string>): string {
  return [...secrets]
    .filter((secret) => secret !== '' && text.includes(secret.slice(0, MIN_SECRET_LENGTH)))
    .flatMap(beginnings)
    .toSorted((a, b) => b.length - a.length)
    .reduce((hidden, beginning) => hidden.replaceAll(beginning, '***'), text);
}

const beginnings = (secret: string): string[] =>
  Array.from({ length: Math.max(1, secret.length - MIN_SECRET_LENGTH + 1) }, (_, cut) =>
    secret.slice(0, secret.length - cut),
  );
