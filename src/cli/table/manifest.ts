import type { Execute, Program } from './root.ts';

/** The commands that read and write `hug.yaml` and its lock. */
export function addManifestCommands(program: Program, execute: Execute): void {
  program
    .command('lock')
    .description('make hug.lock.json match hug.yaml; unchanged entries keep their commit')
    .option('--check', 'write nothing, use no network; exit 3 when the lock is not current')
    .option('--dry-run', 'show what would change, write nothing')
    .action((options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/lock.ts');
        return run(options, context);
      }),
    );
  program
    .command('update')
    .description('move branches and version ranges to their newest commit')
    .argument('[names...]', 'entries of the manifest (all when none is named)')
    .option('--dry-run', 'show what would change, write nothing')
    .action((names, options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/update.ts');
        return run(names, options, context);
      }),
    );

  program
    .command('outdated')
    .description('show what update would move, and what is newer than hug.yaml allows')
    .argument('[names...]', 'entries of the manifest (all when none is named)')
    .option('--exit-code', 'exit 3 when update would move an entry')
    .action((names, options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/outdated.ts');
        return run(names, options, context);
      }),
    );
}
