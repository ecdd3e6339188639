import { repositoryAmong, targetsOf } from '../../project/arguments.ts';
import { EntryArgument, REPOSITORY, withRemoteOptions } from './options.ts';
import type { Execute, Program } from './root.ts';

/** Names of entries, repositories, or nothing for the whole lock. */
const targetsArgument = () =>
  new EntryArgument(
    '[targets...]',
    `entries of the lock (all when none is named), or ${REPOSITORY}`,
  );

/** The commands that list files, and bring them to where they are used. */
export function addFileCommands(program: Program, execute: Execute): void {
  withRemoteOptions(
    program
      .command('fetch')
      .description(
        'bring files into the Nix store: those of the lock, or a model that no manifest names',
      )
      .addArgument(targetsArgument())
      .option(
        '--gc-root <dir>',
        'keep what is fetched from the garbage collector by links in this folder',
      )
      .option('--dry-run', 'show what is missing, or the Nix expression for a repository'),
  ).action((targets, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const url = repositoryAmong(targets, options);
      if (url === undefined) {
        const { run } = await import('../../commands/fetch.ts');
        return run(targets, options, context);
      }
      const { runOnUrl } = await import('../../commands/fetch.ts');
      return runOnUrl(url, options, context);
    }),
  );

  withRemoteOptions(
    program
      .command('export')
      .description(
        'write models and datasets into the Hugging Face cache, for the official client offline',
      )
      .addArgument(targetsArgument()),
  ).action((targets, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const { run } = await import('../../commands/export.ts');
      return run(targetsOf(targets, options, 'entries'), options, context);
    }),
  );

  withRemoteOptions(
    program
      .command('import')
      .description(
        'bring what the Hugging Face cache has into the Nix store; nothing is downloaded',
      )
      .addArgument(targetsArgument()),
  ).action((targets, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const { run } = await import('../../commands/import.ts');
      return run(targetsOf(targets, options), options, context);
    }),
  );

  program
    .command('import-all')
    .description('bring every snapshot of the Hugging Face cache into the Nix store')
    .option('-y, --yes', 'do not ask first')
    .option('--dry-run', 'show what the store lacks, bring nothing')
    .action((options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/import-all.ts');
        return run(options, context);
      }),
    );

  program
    .command('verify')
    .description('compare what the Nix store and the Hugging Face cache have with the lock')
    .addArgument(new EntryArgument('[names...]', 'entries of the lock; all when none is named'))
    .action((names, _options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/verify.ts');
        return run(names, context);
      }),
    );

  withRemoteOptions(
    program
      .command('ls')
      .description('list the entries of the lock, or the files of one or of a repository')
      .addArgument(new EntryArgument('[target]', `an entry of the lock, or ${REPOSITORY}`)),
  ).action((target, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const url =
        target === undefined
          ? repositoryAmong([], options)
          : repositoryAmong([target], options, 'entries');
      if (url === undefined) {
        const { run } = await import('../../commands/ls.ts');
        return run(target, options, context);
      }
      const { runOnUrl } = await import('../../commands/ls.ts');
      return runOnUrl(url, options, context);
    }),
  );

  program
    .command('scan')
    .description('list what is in the Hugging Face cache, what of it is in the store, what is odd')
    .action((_options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../../commands/scan.ts');
        return run(context);
      }),
    );
}
