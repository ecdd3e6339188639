const MAX_LENGTH = 80;

/** Control and formatting characters and line separators, one UTF-16 unit each. */
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/**
 * Text of a user for a message: its first 80 characters, on one line, control characters escaped.
 */
export function forTerminal(text: string): string {
  return escapeControls(clipped(text).toWellFormed());
}

/** As `forTerminal`, in quotes, as JSON writes it. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(clipped(text)));
}

function clipped(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** Escapes control and formatting characters, so that text cannot command a terminal. */
export function escapeControls(text: string): string {
  return text.replace(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A string literal of the Nix language (Nix manual, "String literal"). */
export function nixString(text: string): string {
  return `"${text.replace(/["\\]|\$\{/gu, String.raw`\$&`)}"`;
}

/** A word that POSIX shells read as this text (POSIX, "Quoting"). */
export const shellWord = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
