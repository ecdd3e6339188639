import { Argument } from '@commander-js/extra-typings';
import type { Output } from '../../output/json-schema.ts';
import { EXIT } from '../../errors.ts';
import { SHELLS } from '../completion/shells.ts';
import type { Execute, Program } from './root.ts';

/** The command that prints completion scripts, and the one that they ask for names. */
export function addCompletionCommands(program: Program, execute: Execute): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(SHELLS))
    .action((shell, _options, command) =>
      execute(command.optsWithGlobals(), async () => {
        const { completionScript } = await import('../completion/script.ts');
        const script = completionScript(shell, program);
        return {
          text: script,
          json: { shell, script } satisfies Output<'completion'>,
          exitStatus: EXIT.ok,
        };
      }),
    );

  program
    .command('entry-names', { hidden: true })
    .description('print what names an entry of the manifest or the lock, one a line')
    .action((_options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/entry-names.ts');
        return run(context);
      }),
    );
}
