import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createProgram } from '../../src/cli/commands.ts';
import { SHELLS } from '../../src/cli/completion-scripts.ts';
import { collector } from '../support/collector.ts';
import { ended } from '../support/ended.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp.ts';
import { describeWith, openTerminal } from '../support/terminal.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** The command in one file, which starts faster than its sources: shells call it at each tabulator. */
let builtCommand: string;
beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'command-'));
  builtCommand = path.join(folder, 'dist', 'bin.cjs');
  await build({
    entryPoints: [path.join(ROOT, 'src', 'bin.ts')],
    outfile: builtCommand,
    bundle: true,
    platform: 'node',
    define: { 'import.meta.dirname': '__dirname' },
    external: ['import-fresh', 'js-yaml', 'parse-json', 'typescript'],
  });
});
afterAll(() => rm(path.dirname(path.dirname(builtCommand)), { recursive: true }));

type Shell = (typeof SHELLS)[number];

/** Shells that read nothing of this machine's users, and what makes them ready. */
const INTERACTIVE: Readonly<Record<Shell, { command: [string, ...string[]]; setUp: string }>> = {
  bash: { command: ['bash', '--norc', '--noprofile', '-i'], setUp: `PS1='> '; source ./script` },
  zsh: {
    command: ['zsh', '-f', '-i'],
    setUp: `PS1='> '; autoload -U compinit; compinit -u -D; source ./script`,
  },
  fish: {
    command: ['fish', '--no-config', '-i'],
    setUp: `function fish_prompt; echo '> '; end; set fish_autosuggestion_enabled 0; source ./script`,
  },
};

/** What is typed before the tabulator, and the arguments that the line then has. */
const LINES: readonly (readonly [typed: string, args: readonly string[]])[] = [
  // commands, options and their values
  ['fe', ['fetch']],
  ['completi', ['completion']],
  ['completion fi', ['completion', 'fish']],
  ['lock --ch', ['lock', '--check']],
  ['--off', ['--offline']],
  ['--vers', ['--version']],
  ['add org/name --vers', ['add', 'org/name', '--version']],
  ['fetch --conc', ['fetch', '--concurrency']],
  ['ls --repo-type mo', ['ls', '--repo-type', 'model']],
  ['ls --repo-type=da', ['ls', '--repo-type=dataset']],
  // files and folders
  ['--manifest "a dir/hug.y', ['--manifest', 'a dir/hug.yaml']],
  ['--offline -C bi', ['--offline', '-C', 'bin']],
  ['fetch --offline --gc-root bi', ['fetch', '--offline', '--gc-root', 'bin']],
  // after global options
  ['--debug -C bin fe', ['--debug', '-C', 'bin', 'fetch']],
  // entries, of the project that the line names
  [`-C 'a dir' fetch ti`, ['-C', 'a dir', 'fetch', 'tiny-llama']],
  [
    `fetch --cwd='a dir' --ref main squad lo`,
    ['fetch', '--cwd=a dir', '--ref', 'main', 'squad', 'locked-only'],
  ],
  [`--manifest a\\ dir/hug.yaml ls models.`, ['--manifest', 'a dir/hug.yaml', 'ls', 'models.both']],
  [`-C ~/a\\ dir ls sq`, ['-C', 'HOME/a dir', 'ls', 'squad']],
  // nothing, quietly
  ['fetch ti', ['fetch', 'ti']],
  ['-C nowhere fetch ti', ['-C', 'nowhere', 'fetch', 'ti']],
  ['nonsense fe', ['nonsense', 'fe']],
];

const MANIFEST = `
models:
  tiny-llama: org/a
  both: org/b
datasets:
  both: org/c
  squad: org/d
`;

const LOCKED = {
  repo: 'org/e',
  ref: 'main',
  rev: 'c170c708c41dac9275d15a8fff4eca08d52bab71',
  files: {},
};

const lockOf = (models: object) => JSON.stringify({ lockfileVersion: 1, models, datasets: {} });

/**
 * A home folder with a project in `a dir`, and a `nix-hug` in `bin` that prints its arguments, but
 * is the real one for what completes.
 */
async function createHome(shell: Shell): Promise<string> {
  const home = await tempFolder('home');
  const file = (name: string) => path.join(home, name);
  await mkdir(file('a dir'));
  await mkdir(file('bin'));
  await writeFile(file('a dir/hug.yaml'), MANIFEST);
  await writeFile(file('a dir/hug.lock.json'), lockOf({ 'locked-only': LOCKED }));
  await writeFile(
    file('bin/nix-hug'),
    `#!/bin/sh
[ "$1" != complete ] ||
  exec '${process.execPath}' '${builtCommand}' "$@"
printf 'got'; printf '<%s>' "$@"; echo
`,
  );
  await chmod(file('bin/nix-hug'), 0o755);
  const { stdout } = await runCli(['completion', shell], { cwd: home });
  await writeFile(file('script'), stdout);
  return home;
}

/** Where the shell finds `nix-hug`. */
const environment = (home: string) => ({
  HOME: home,
  PATH: `${home}/bin:${process.env['PATH'] ?? ''}`,
});

async function openShell(shell: Shell, home: string, setUp = INTERACTIVE[shell].setUp) {
  const { command } = INTERACTIVE[shell];
  const terminal = await openTerminal({
    command,
    cwd: home,
    env: {
      ...environment(home),
      // A shell that ends writes its history, into a folder that is being removed.
      HISTFILE: '/dev/null',
      fish_history: '',
    },
    columns: 150,
    rows: 120,
  });
  onTestFinished(() => terminal.close());
  await terminal.press(`${setUp}; clear`, 'Enter');
  await terminal.until(/^>$/u);
  return terminal;
}

describe.each(SHELLS)('completion in %s', (shell) => {
  describeWith([shell, 'tmux'], 'at the keyboard', () => {
    it('completes commands, options, values, paths and names of entries', async () => {
      const home = await createHome(shell);
      const terminal = await openShell(shell, home);
      for (const [typed, args] of LINES) {
        await terminal.press(`nix-hug ${typed}`, 'Tab', 'Enter');
        const [line, printed, ...others] = (await terminal.until(/^got.*\n>$/mu)).split('\n');
        // Some shells leave the slash of a folder.
        const got = printed?.replaceAll('/>', '>').replace(home, 'HOME');
        expect(got, line).toBe(`got${args.map((arg) => `<${arg}>`).join('')}`);
        // The prompt, and no message of a shell or of a program.
        expect(others, line).toEqual(['>']);
        await terminal.press('C-l');
        await terminal.until(/^>$/u);
      }
    });

    it('evaluates nothing of what is typed', async () => {
      const home = await createHome(shell);
      const terminal = await openShell(shell, home);
      const danger = shell === 'fish' ? '(touch danger)' : '"$(touch danger)`touch danger`"';
      await terminal.press(`nix-hug -C ${danger} fetch ti`, 'Tab', 'C-u');
      await terminal.press('nix-hug end', 'Enter');
      await terminal.until('got<end>');
      expect(existsSync(path.join(home, 'danger'))).toBe(false);
    });
  });
});

describeWith(['zsh', 'tmux'], 'completion in zsh', () => {
  it('is found in a folder of functions, where packages put it', async () => {
    const home = await createHome('zsh');
    await mkdir(path.join(home, 'functions'));
    await rename(path.join(home, 'script'), path.join(home, 'functions', '_nix-hug'));
    const setUp = `PS1='> '; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D`;
    const terminal = await openShell('zsh', home, setUp);
    // The first use loads the function, and the second one finds it loaded.
    await terminal.press('nix-hug fe', 'Tab', '--gc', 'Tab', 'Enter');
    await terminal.until('got<fetch><--gc-root>');
  });

  it('shows what commands and options do', async () => {
    const terminal = await openShell('zsh', await createHome('zsh'));
    await terminal.press('nix-hug ', 'Tab');
    await terminal.until(/fetch +-- add the files of the lock, or of a repository/u);
    await terminal.press('lock --', 'Tab');
    await terminal.until(/--check +-- write nothing, use no network/u);
  });
});

/** Every place of the table: what is typed before a last word, and the words possible there. */
function places(): [before: string[], possible: string[]][] {
  const world = {
    packageFolder: process.cwd(),
    cwd: '/',
    env: {},
    home: '/',
    signal: new AbortController().signal,
    runProgram: () => Promise.reject(new Error('no program runs here')),
    stdout: collector().stream,
    stderr: collector().stream,
  };
  const program = createProgram(world, async () => undefined);
  const help = program.createHelp();
  const flagsOf = (command: CommandUnknownOpts) =>
    help.visibleOptions(command).flatMap(({ short, long }) => [short ?? [], long ?? []].flat());
  const commands = help.visibleCommands(program);
  const everywhere = flagsOf(program).filter((flag) => !/^(?:-V|--version)$/u.test(flag));
  return [
    [[], commands.map((command) => command.name())],
    [['-'], flagsOf(program)],
    ...program.commands
      .filter((command) => commands.includes(command))
      .map((command): [string[], string[]] => [
        [command.name(), '-'],
        [...new Set([...everywhere, ...flagsOf(command)])],
      ]),
  ];
}

describe('completion scripts', () => {
  it('of bash know every command and option of the table', async () => {
    const home = await createHome('bash');
    for (const [before, possible] of places()) {
      const words = ['nix-hug', ...before, ...(before.length === 0 ? [''] : [])];
      const child = spawn(
        'bash',
        [
          '-c',
          'source ./script; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _nix_hug; echo "${COMPREPLY[@]}"',
          'bash',
          ...words,
        ],
        { cwd: home, env: environment(home), stdio: ['ignore', 'pipe', 'pipe'] },
      );
      const { stdout, stderr } = await ended(child);
      expect(stderr).toBe('');
      expect(stdout.trim().split(' ').toSorted()).toEqual(possible.toSorted());
    }
  });

  describeWith(['fish'], 'of fish', () => {
    async function offered(line: string, home: string): Promise<string> {
      const child = spawn(
        'fish',
        ['--no-config', '-c', 'source ./script; complete -C $argv[1]', line],
        {
          cwd: home,
          env: environment(home),
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const { stdout, stderr } = await ended(child);
      expect(stderr).toBe('');
      return stdout;
    }

    it.each([
      ['ls --ref ', ''],
      ['--concurrency ', ''],
      ['--manifest scr', 'script\n'],
    ])('offer files for files only: %s', async (line, expected) => {
      expect(await offered(`nix-hug ${line}`, await createHome('fish'))).toBe(expected);
    });

    it('know every command and option of the table, with descriptions', async () => {
      const home = await createHome('fish');
      for (const [before, possible] of places()) {
        const line = ['nix-hug', ...before].join(' ') + (before.length === 0 ? ' ' : '');
        const lines = (await offered(line, home))
          .trim()
          .split('\n')
          .map((text) => text.split('\t'));
        expect(lines.map(([word = '']) => word).toSorted()).toEqual(possible.toSorted());
        expect(lines.filter(([, description]) => (description ?? '') === '')).toEqual([]);
      }
    });
  });

  it('refuse other shells', async () => {
    const { status, stderr } = await runCli(['completion', 'tcsh'], { cwd: '/' });
    expect(status).toBe(2);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish');
  });
});

describe('the names of entries', () => {
  const namesIn = async (files: Readonly<Record<string, string>>) => {
    const folder = await tempFolder();
    for (const [name, text] of Object.entries(files)) {
      await writeFile(path.join(folder, name), text);
    }
    return runCli(['complete', '--', 'ls', ''], { cwd: folder });
  };

  it('are those of the manifest and of the lock, with their section where two have one', async () => {
    const { stdout, status } = await namesIn({
      'hug.yaml': MANIFEST,
      'hug.lock.json': lockOf({ 'tiny-llama': LOCKED, gone: LOCKED }),
    });
    expect(stdout.split('\n')).toEqual([
      'datasets.both',
      'gone',
      'models.both',
      'squad',
      'tiny-llama',
      '',
    ]);
    expect(status).toBe(0);
  });

  it('come from the lock while the manifest is being edited, and the reverse', async () => {
    const lock = lockOf({ locked: LOCKED });
    const edited = await namesIn({ 'hug.yaml': 'models: [', 'hug.lock.json': lock });
    expect(edited).toMatchObject({ stdout: 'locked\n', stderr: '', status: 0 });
    const conflict = await namesIn({ 'hug.yaml': MANIFEST, 'hug.lock.json': '<<<<<<<' });
    expect(conflict.stdout).toContain('tiny-llama\n');
  });

  it('hold nothing that a shell could take for more than a name', async () => {
    const { stdout } = await namesIn({
      'hug.yaml': 'models: { "$(touch x)": org/a }',
      'hug.lock.json': lockOf({ '`touch x`': LOCKED }),
    });
    expect(stdout).toBe('');
  });
});
