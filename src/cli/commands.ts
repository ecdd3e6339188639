import { Argument, Option } from '@commander-js/extra-typings';
import { EXIT, usageError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { repositoryAmong, targetsOf } from '../project/arguments.ts';
import { completionScript, SHELLS } from './completion-scripts.ts';
import type { Context, World } from './context.ts';
import {
  collected,
  createRoot,
  EntryArgument,
  type GlobalOptions,
  type Program,
  withRepositoryOptions,
} from './options.ts';

const REPOSITORY =
  'a repository: org/name, hf:org/name, hf-datasets:org/name, an address on the Hub';

const GROUP = '--group <name>';

/** For commands that take entries without groups alone without it. */
const GROUP_TOO = 'take the entries of this group too; may be repeated';
const ALL_GROUPS = 'take the entries of all groups';

/** For commands that take all entries without it. */
const GROUP_OF_ALL =
  'take only the entries of this group, and those without groups; may be repeated';

const targetsArgument = () =>
  new EntryArgument(
    '[targets...]',
    `entries of the lock (all when none is named), with what they need; or ${REPOSITORY}`,
  );

const manifestNames = () =>
  new EntryArgument('[names...]', 'entries of the manifest (all when none is named)');

/**
 * The command table: each command with its arguments and options. A command loads its code when it
 * runs.
 *
 * @param execute runs what the command does, and takes care of its result
 */
export function createProgram(
  world: World,
  execute: (
    options: GlobalOptions,
    run: (context: Context) => Promise<CommandResult>,
  ) => Promise<void>,
): Program {
  const program = createRoot(world);

  /** The action of a command, which gets the context before its arguments and options. */
  const runs =
    <Args extends unknown[]>(run: (context: Context, ...args: Args) => Promise<CommandResult>) =>
    (...args: Args): Promise<void> =>
      execute(program.opts(), (context) => run(context, ...args));

  /** The action of a command whose module is loaded when it runs. */
  const loads = <Args extends unknown[]>(
    load: () => Promise<{ run: (context: Context, ...args: Args) => Promise<CommandResult> }>,
  ) => runs<Args>(async (context, ...args) => (await load()).run(context, ...args));

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

  program
    .command('import-all')
    .description('copy every snapshot of the Hugging Face cache into the Nix store')
    .option('-y, --yes', 'do not ask first')
    .option('--dry-run', 'show what is missing in the store, copy nothing')
    .action(loads(() => import('../commands/import-all.ts')));

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

  program
    .command('scan')
    .description('list the snapshots of the Hugging Face cache, and problems in it')
    .action(loads(() => import('../commands/scan.ts')));

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

  return program;
}
