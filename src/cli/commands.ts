import { Argument } from '@commander-js/extra-typings';
import { EXIT } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import { createActions, type Execute } from './actions.ts';
import { completionScript, SHELLS } from './completion-scripts.ts';
import type { World } from './context.ts';
import { examplesText } from './examples.ts';
import { addFileCommands } from './file-commands.ts';
import { createRoot, type Program } from './options.ts';
import { addProjectCommands } from './project-commands.ts';

/**
 * The command table: each command with its arguments and options. A command loads its code when it
 * runs.
 */
export function createProgram(world: World, execute: Execute): Program {
  const program = createRoot(world);
  const actions = createActions(program, execute);
  const { runs } = actions;
  addProjectCommands(program, actions);
  addFileCommands(program, actions);
  program.commandsGroup('Other commands:');

  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(SHELLS))
    .action(
      runs(async (_context, shell) => {
        const script = completionScript(shell);
        const json: Output<'completion'> = { shell, script };
        return { text: script, json, exitStatus: EXIT.ok };
      }),
    );

  program
    .command('complete', { hidden: true })
    .description('print what can be typed for the last word; the completion scripts call it')
    .argument('[words...]', 'the words after nix-hug as the shell has them, up to the cursor')
    .action(
      runs(async (context, words) => {
        const { completionLines } = await import('./complete.ts');
        const lines = completionLines(program, words, context);
        return { text: lines.join('\n'), json: lines, exitStatus: EXIT.ok };
      }),
    );

  program.helpCommand('help [command]', 'show the help of a command');
  for (const command of program.commands) {
    command.addHelpText('after', examplesText(command.name()));
  }
  return program;
}
