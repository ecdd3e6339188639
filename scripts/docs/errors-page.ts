import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../src/errors.ts';
import { GENERATED, tableOf } from './markdown.ts';

/** A code of the table in `errors.ts`, with the comment above it. */
const DOCUMENTED_CODE = /\/\*\*(?<meaning>(?:(?!\*\/)[^])+)\*\/\s+(?<code>EHUG_[A-Z_]+):/gu;

/**
 * `docs/errors.md`, from the table of codes and the comments in it.
 *
 * @throws Error for a code without a comment
 */
export function errorsPage(): string {
  const source = readFileSync(new URL('../../src/errors.ts', import.meta.url), 'utf8');
  const meanings = new Map(
    [...source.matchAll(DOCUMENTED_CODE)].map(({ groups }) => [
      groups?.['code'],
      (groups?.['meaning'] ?? '').replaceAll(/\s*\n\s*\*/gu, '').trim(),
    ]),
  );
  const rows = Object.entries(ERROR_CODES).map(([code, exitStatus]) => {
    const meaning = meanings.get(code);
    if (meaning === undefined) throw new Error(`${code} has no comment in errors.ts`);
    return [`\`${code}\``, String(exitStatus), meaning];
  });
  return `${[
    '# Errors',
    GENERATED,
    'Every error has a code, which never changes its meaning, one sentence that says what went wrong, and mostly a hint on what to do. With `--json` it is printed as `{ "error": { "code", "message", "hint" } }`, and `details` where there are several problems. `--debug` adds where it comes from. [Troubleshooting](troubleshooting.md) has causes and remedies of those that users meet most.',
    tableOf(['Code', 'Exit', 'Meaning'], rows),
  ].join('\n\n')}\n`;
}
