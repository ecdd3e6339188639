import { repositoryAmong, targetsOf } from '../project/arguments.ts';
import type { Actions } from './actions.ts';
import {
  collected,
  EntryArgument,
  GROUP,
  GROUP_OF_ALL,
  type Program,
  REPOSITORY,
  withRepositoryOptions,
} from './options.ts';

/** For commands that take entries without groups alone without it. */
const GROUP_TOO = 'take the entries of this group too; may be repeated';
const ALL_GROUPS = 'take the entries of all groups';

const targetsArgument = () =>
  new EntryArgument(
    '[targets...]',
    `entries of the lock (all when none is named), with what they need; or ${REPOSITORY}`,
  );

/** Adds the commands about files: the Nix store, the Hugging Face cache, programs, mirrors. */
export function addFileCommands(program: Program, { runs, loads }: Actions): void {
  program.commandsGroup('Bring files to this machine:');

  withRepositoryOptions(
    program
      .command('fetch')
      .description('add the files of the lock, or of a repository, to the Nix store')
      .addArgument(targetsArgument())
      .option('--gc-root <dir>', 'link the files into this folder, so that Nix keeps them')
      .option('--dry-run', 'show what is missing, or the Nix expression for a repository')
      .option(GROUP, GROUP_TOO, collected)
      .option('--all-groups', ALL_GROUPS),
  ).action(
    runs(async (context, targets, options) => {
      const url = repositoryAmong(targets, options);
      const { run, runOnUrl } = await import('../commands/fetch.ts');
      return url === undefined ? run(context, targets, options) : runOnUrl(context, url, options);
    }),
  );

  withRepositoryOptions(
    program
      .command('export')
      .description('copy models and datasets into the Hugging Face cache, to load them offline')
      .addArgument(targetsArgument())
      .option('--link', 'link to the Nix store instead of copying; Nix keeps the files')
      .option('--copy', 'replace such links by copies; without it, links stay')
      .option(GROUP, GROUP_TOO, collected)
      .option('--all-groups', ALL_GROUPS),
  ).action(
    runs(async (context, targets, options) => {
      const { run } = await import('../commands/export.ts');
      return run(context, targetsOf(targets, options, 'entries'), options);
    }),
  );

  withRepositoryOptions(
    program
      .command('import')
      .description('copy files from the Hugging Face cache into the Nix store; downloads nothing')
      .addArgument(targetsArgument())
      .option('--from <folder>', 'take files from this folder too, whatever they are called there'),
  ).action(
    runs(async (context, targets, options) => {
      const { run } = await import('../commands/import.ts');
      return run(context, targetsOf(targets, options), options);
    }),
  );

  program
    .command('import-all')
    .description('copy every snapshot of the Hugging Face cache into the Nix store')
    .option('-y, --yes', 'do not ask first')
    .option('--dry-run', 'show what is missing in the store, copy nothing')
    .action(loads(() => import('../commands/import-all.ts')));

  program.commandsGroup('Run programs:');

  program
    .command('run')
    .argument('<command...>', 'the program and its arguments, after --')
    .usage('[options] -- <command...>')
    .description('run a program that loads exactly what is locked, without a network')
    .option(GROUP, GROUP_TOO, collected)
    .option('--all-groups', ALL_GROUPS)
    .action(
      runs(async (context, [command = '', ...args], options) => {
        const { run } = await import('../commands/run.ts');
        return run(context, [command, ...args], options);
      }),
    );

  program
    .command('env')
    .description('do what run does before its program, and print the variables for a shell')
    .option(GROUP, GROUP_TOO, collected)
    .option('--all-groups', ALL_GROUPS)
    .action(loads(() => import('../commands/env.ts')));

  program.commandsGroup('Check files, and share them:');

  program
    .command('verify')
    .description('compare the files in the Nix store and the Hugging Face cache with the lock')
    .addArgument(
      new EntryArgument(
        '[names...]',
        'entries of the lock, with what they need; all when none is named',
      ),
    )
    .option('--strict', 'exit 1 also when a file is neither in the Nix store nor in the cache')
    .option(GROUP, GROUP_OF_ALL, collected)
    .action(loads(() => import('../commands/verify.ts')));

  program
    .command('mirror')
    .argument('<dir>', 'the folder; made when missing, and files of other locks stay')
    .description('write the files of the lock into a folder that a web server can offer to Nix')
    .option(GROUP, GROUP_OF_ALL, collected)
    .action(loads(() => import('../commands/mirror.ts')));

  program
    .command('serve')
    .description(
      'serve the files of the lock as a Hub (HF_ENDPOINT) and as a mirror for Nix, until Ctrl-C; uses no network',
    )
    .option('--listen <address:port>', 'where to listen (127.0.0.1:8080); port 0 takes a free one')
    .option('--allow-remote', 'let other machines in, which can then read gated files too')
    .option(GROUP, GROUP_OF_ALL, collected)
    .action(loads(() => import('../commands/serve.ts')));

  program
    .command('scan')
    .description('list the snapshots of the Hugging Face cache, and problems in it')
    .action(loads(() => import('../commands/scan.ts')));
}
