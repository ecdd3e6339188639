import { touchView } from '../cache/view.ts';
import { EXIT } from '../errors.ts';
import type { CommandResult } from '../output/result.ts';
import type { CommandContext } from '../project/context.ts';
import type { GroupOptions } from '../project/groups.ts';
import { prepareView, programEnv } from '../project/view.ts';

/**
 * `nix-hug run -- CMD…`: makes sure that everything of the lock is on this machine, and runs a program that
 * finds exactly that in its Hugging Face cache, without a network. Standard output is that of the program.
 */
export async function run(
  context: CommandContext,
  [command, ...args]: readonly [string, ...string[]],
  groups: GroupOptions,
): Promise<CommandResult<undefined>> {
  const { folder, note } = await prepareView(context, groups);
  return {
    text: '',
    json: undefined,
    note,
    exitStatus: EXIT.ok,
    program: {
      command,
      args,
      cwd: context.cwd,
      env: programEnv(folder),
      whileRunning: () => touchView(folder),
    },
  };
}
