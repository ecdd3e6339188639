import { EXIT } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import type { CommandContext } from '../project/context.ts';
import type { GroupOptions } from '../project/groups.ts';
import { prepareView, programEnv } from '../project/view.ts';
import { shellWord } from '../quote.ts';

/** `nix-hug env`: does what `run` does before its program, and prints the variables for a shell. */
export async function run(
  context: CommandContext,
  groups: GroupOptions,
): Promise<CommandResult<Output<'env'>>> {
  const { folder, note } = await prepareView(context, groups);
  const variables = programEnv(folder);
  const lines = Object.entries(variables).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );
  return { text: lines.join('\n'), json: variables, note, exitStatus: EXIT.ok };
}
