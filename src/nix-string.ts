/** A string literal of the Nix language (Nix manual, "String literal"). */
export function nixString(text: string): string {
  return `"${text.replace(/["\\]|\$\{/gu, String.raw`\$&`)}"`;
}
