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
}
