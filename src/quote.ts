const LONGEST = 80;

/** Control and formatting characters and line separators, of one UTF-16 unit each. */
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/**
 * Text of a user for a message: at most 80 characters of it, on one line, and nothing that a
 * terminal would not show as itself.
 */
export function shown(text: string): string {
  return visible(clipped(text).toWellFormed());
}

/** As `shown`, in quotes, as JSON would write it. */
export function quoted(text: string): string {
  return visible(JSON.stringify(clipped(text)));
}

function clipped(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Text with nothing in it that a terminal would not show as itself. */
export function visible(text: string): string {
  return text.replace(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
