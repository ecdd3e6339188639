import { HugError } from '../errors.ts';
import { parseLock } from './codec.ts';
import type { Lock } from './schema.ts';

const OURS = '<<<<<<< ';
const BASE = '||||||| ';
const THEIRS = '=======';
const END = '>>>>>>> ';

/** Whether the text has conflict markers of git. */
export function hasConflictMarkers(text: string): boolean {
  return text.split('\n').some((line) => line.startsWith(OURS));
}

/**
 * Both sides of a lock with conflict markers.
 *
 * @param text of the file, with markers in the `merge`, `diff3` or `zdiff3` style
 * @param file its name, for messages
 * @throws HugError `EHUG_LOCK_CONFLICT` when a side is not a valid lock
 */
export function parseConflict(text: string, file: string): { ours: Lock; theirs: Lock } {
  const sides: Record<'ours' | 'theirs', string[]> = { ours: [], theirs: [] };
  let inside: 'both' | 'ours' | 'base' | 'theirs' = 'both';
  for (const line of text.split('\n')) {
    if (line.startsWith(OURS)) inside = 'ours';
    else if (line.startsWith(BASE)) inside = 'base';
    else if (line.trimEnd() === THEIRS) inside = 'theirs';
    else if (line.startsWith(END)) inside = 'both';
    else {
      if (inside === 'both' || inside === 'ours') sides.ours.push(line);
      if (inside === 'both' || inside === 'theirs') sides.theirs.push(line);
    }
  }
  return {
    ours: parseSide(sides.ours, 'our', file),
    theirs: parseSide(sides.theirs, 'their', file),
  };
}

function parseSide(lines: readonly string[], side: 'our' | 'their', file: string): Lock {
  try {
    return parseLock(lines.join('\n'), file);
  } catch (cause) {
    throw new HugError(
      'EHUG_LOCK_CONFLICT',
      `${file} has conflict markers, and ${side} side of them is not a valid lock`,
      {
        details: cause instanceof HugError ? [cause.message, ...cause.details] : [],
        hint: `Take one side (git checkout --ours ${file}), then run nix-hug lock.`,
        cause,
      },
    );
  }
}
