import { EntryArgument, REPOSITORY, withRemoteOptions } from './options.ts';
import type { Execute, Program } from './root.ts';

/** The commands that read and write `hug.yaml` and its lock. */
export function addManifestCommands(program: Program, execute: Execute): void {
  program
    .command('init')
    .description('write a hug.yaml to begin with; never overwrites')
    .option('--flake', 'write a flake.nix as well, which uses the lock')
    .action((options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/init.ts');
        return run(options, context);
      }),
    );

  withRemoteOptions(program.command('add').argument('<url...>', REPOSITORY))
    .description('add repositories to hug.yaml and lock them; all else in it stays as it is')
    .option('--name <name>', 'name of the entry; by default the name of the repository')
    .option('--version <range>', 'semver range over the tags, instead of --ref')
    .action((urls, options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/add.ts');
        return run(urls, options, context);
      }),
    );

  program
    .command('remove')
    .addArgument(
      new EntryArgument(
        '<name...>',
        'entries of hug.yaml; models.NAME or datasets.NAME if both have it',
      ),
    )
    .description('take entries out of hug.yaml and hug.lock.json; all else stays as it is')
    .action((names, _options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/remove.ts');
        return run(names, context);
      }),
    );

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
    .addArgument(
      new EntryArgument('[names...]', 'entries of the manifest (all when none is named)'),
    )
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
    .addArgument(
      new EntryArgument('[names...]', 'entries of the manifest (all when none is named)'),
    )
    .option('--exit-code', 'exit 3 when update would move an entry')
    .action((names, options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/outdated.ts');
        return run(names, options, context);
      }),
    );
}
