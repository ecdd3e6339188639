import { Option } from '@commander-js/extra-typings';
import { usageError } from '../errors.ts';
import { repositoryAmong } from '../project/arguments.ts';
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

const manifestNames = () =>
  new EntryArgument('[names...]', 'entries of the manifest (all when none is named)');

/** Adds the commands about the manifest and the lock. */
export function addProjectCommands(program: Program, { runs, loads }: Actions): void {
  program.commandsGroup('Declare models and datasets:');

  program
    .command('init')
    .description('write a commented hug.yaml to start from; what is there stays as it is')
    .option('--flake', 'write a flake.nix as well, which uses the lock')
    .option(
      '--from-cache',
      'add entries for what the Hugging Face cache holds, and lock them at the cached commits',
    )
    .option(
      '--from-code <path...>',
      'add entries for the repositories that Python files, notebooks, and those in folders load',
    )
    .action(
      runs(async (context, { fromCode, fromCache, flake }) => {
        if (fromCode === undefined) {
          const { run } = await import('../commands/init.ts');
          return run(context, { flake, fromCache });
        }
        if (fromCache === true) {
          throw usageError(
            '--from-cache and --from-code exclude each other',
            'Run one after the other.',
          );
        }
        const { run } = await import('../commands/init-from-code.ts');
        return run(context, fromCode, { flake });
      }),
    );

  withRepositoryOptions(program.command('add').argument('<url...>', REPOSITORY))
    .description(
      'add repositories to hug.yaml, or change their entries, and lock them; comments and order stay',
    )
    .option('--name <name>', 'name of the entry; by default the name of the repository')
    .option('--version <range>', 'semver range over the tags, instead of --ref')
    .option('--at <commit>', 'follow the ref, and begin at this commit')
    .option('--cached', 'follow the ref, and begin at the commit that the Hugging Face cache has')
    .option(GROUP, 'put the entry into this group; may be repeated', collected)
    .action(loads(() => import('../commands/add.ts')));

  program
    .command('remove')
    .addArgument(
      new EntryArgument(
        '<name...>',
        'entries of hug.yaml; models.NAME or datasets.NAME if both have it',
      ),
    )
    .description('remove entries from hug.yaml and hug.lock.json; comments and order stay')
    .action(loads(() => import('../commands/remove.ts')));

  program.commandsGroup('Lock them:');

  program
    .command('lock')
    .description('make hug.lock.json match hug.yaml; unchanged entries keep their commit')
    .option('--check', 'write nothing, use no network; exit 3 when the lock is not current')
    .option('--dry-run', 'show what would change, write nothing')
    .action(loads(() => import('../commands/lock.ts')));

  program
    .command('update')
    .description('move branches and version ranges to their newest commit')
    .addArgument(manifestNames())
    .option('--dry-run', 'show what would change, write nothing')
    .option(
      '--significant',
      'keep the commit of entries of which only docs changed, such as README.md',
    )
    .option(GROUP, GROUP_OF_ALL, collected)
    .option(
      '--accept-repository',
      'accept another repository that has taken the name of a locked one',
    )
    .action(loads(() => import('../commands/update.ts')));

  program
    .command('outdated')
    .description('show what update would move, and what is newer than hug.yaml allows')
    .addArgument(manifestNames())
    .option('--exit-code', 'exit 3 when update would move an entry')
    .action(loads(() => import('../commands/outdated.ts')));

  program.commandsGroup('Look at the lock:');

  program
    .command('diff')
    .description('show what differs between two locks; uses no network')
    .argument(
      '[old]',
      'the lock before: a file, or a revision of git that has the lock (default: HEAD)',
    )
    .argument('[new]', 'the lock after, likewise (default: the file in the working directory)')
    .option('--markdown', 'print a table for a pull request')
    .action(loads(() => import('../commands/diff.ts')));

  program
    .command('audit')
    .description(
      'ask the Hub what is wrong with what is locked: gone, replaced, flagged by a scan; check the policy',
    )
    .addArgument(
      new EntryArgument(
        '[names...]',
        'entries of the lock, with what they need; all when none is named',
      ),
    )
    .option(GROUP, GROUP_OF_ALL, collected)
    .action(loads(() => import('../commands/audit.ts')));

  withRepositoryOptions(
    program
      .command('ls')
      .description(
        'list the entries of the lock and what they need, or the files of one or of a repository',
      )
      .addArgument(new EntryArgument('[target]', `an entry of the lock, or ${REPOSITORY}`))
      .option(GROUP, GROUP_OF_ALL, collected),
  ).action(
    runs(async (context, target, options) => {
      const url =
        target === undefined
          ? repositoryAmong([], options)
          : repositoryAmong([target], options, 'entries');
      const { run, runOnUrl } = await import('../commands/ls.ts');
      return url === undefined ? run(context, target, options) : runOnUrl(context, url, options);
    }),
  );

  program
    .command('why')
    .description('show which entries need a repository, an entry or a file of the lock, and why')
    .addArgument(
      new EntryArgument(
        '<target>',
        'a repository (org/name, org/name@REF, hf:org/name), an entry of the lock, or the path of a locked file',
      ),
    )
    .action(loads(() => import('../commands/why.ts')));

  program
    .command('sbom')
    .description(
      'print the models, datasets and files of the lock as CycloneDX JSON: a software bill of materials',
    )
    .addArgument(
      new EntryArgument(
        '[names...]',
        'entries of the lock, with what they need; all when none is named',
      ),
    )
    .addOption(
      new Option('--spec-version <version>', 'version of CycloneDX')
        .choices(['1.6', '1.7'] as const)
        .default('1.6' as const),
    )
    .option('--output <file>', 'write it to this file instead of stdout')
    .option(GROUP, GROUP_OF_ALL, collected)
    .action(loads(() => import('../commands/sbom.ts')));
}
