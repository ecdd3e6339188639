import { EXIT } from '../errors.ts';
import { compareLocks } from '../lock/compare.ts';
import type { Output } from '../output/json-schema.ts';
import { diffMarkdown, diffText } from '../output/lock-diff.ts';
import type { CommandResult } from '../output/result.ts';
import { readDefaultLock, readNamedLock, readWorkingLock } from '../project/compared-locks.ts';
import type { CommandContext } from '../project/context.ts';

interface DiffOptions {
  /** A table for a pull request instead of text. */
  readonly markdown?: boolean;
}

/**
 * `nix-hug diff [old [new]]`: lists what differs between two locks. Sends no request and writes
 * nothing; exits 0 whatever it finds.
 *
 * @throws HugError those of `readNamedLock`, `readDefaultLock` and `readWorkingLock`
 */
export async function run(
  context: CommandContext,
  oldLock: string | undefined,
  newLock: string | undefined,
  { markdown = false }: DiffOptions,
): Promise<CommandResult> {
  const to =
    newLock === undefined ? readWorkingLock(context) : await readNamedLock(context, newLock);
  const from = await (oldLock === undefined
    ? readDefaultLock(context)
    : readNamedLock(context, oldLock));
  const entries = compareLocks(from.lock, to.lock);
  const diff = { from, to, entries };
  const notes = [from.note, to.note].filter((note) => note !== undefined);
  return {
    json: {
      entries: entries.map(({ fields: _fields, ...entry }) => entry),
    } satisfies Output<'diff'>,
    text: markdown ? diffMarkdown(diff) : diffText(diff),
    note: notes.length === 0 ? undefined : notes.join('\n'),
    exitStatus: EXIT.ok,
  };
}
