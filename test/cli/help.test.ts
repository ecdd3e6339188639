import { describe, expect, it } from 'vitest';
import { commands, createIdleProgram } from '../../scripts/docs/command-table.ts';
import { EXAMPLES } from '../../src/cli/examples.ts';
import { runCli } from '../support/run-cli.ts';

const help = async (...argv: readonly string[]) =>
  (await runCli([...argv, '--help'], WORLD)).stdout;
const WORLD = { cwd: '/' };

/** The words of a call, as a shell without variables splits them. */
const wordsOf = (call: string) =>
  [...call.matchAll(/"(?<quoted>[^"]*)"|(?<plain>\S+)/gu)].map(
    ({ groups }) => groups?.['quoted'] ?? groups?.['plain'] ?? '',
  );

describe('help', () => {
  it('shows the commands in groups, each in one of them', async () => {
    const text = await help();
    const headings = [...text.matchAll(/^(?<heading>[A-Z].*):$/gmu)].map(
      ({ groups }) => groups?.['heading'],
    );
    expect(headings).toEqual([
      'Options',
      'Declare models and datasets',
      'Lock them',
      'Look at the lock',
      'Bring files to this machine',
      'Run programs',
      'Check files, and share them',
      'Other commands',
    ]);
  });

  it('of each command shows its options, those of every command, and examples', async () => {
    for (const { name } of commands) {
      const text = await help(name);
      expect(text).toContain('\nGlobal Options:\n  -C, --cwd <dir>');
      const examples = EXAMPLES[name] ?? [];
      expect(examples.length, name).toBeGreaterThan(0);
      for (const [call, does] of examples) expect(text).toContain(`\n  ${call}\n      ${does}\n`);
    }
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(EXAMPLES)));
  });

  it.each(Object.entries(EXAMPLES).flatMap(([name, all]) => all.map(([call]) => [call, name])))(
    'has an example that is read: %s',
    async (call, name) => {
      const line = /^eval "\$\((?<inner>.*)\)"$/u.exec(call)?.groups?.['inner'] ?? call;
      const [program_, ...argv] = wordsOf(line);
      expect([program_, argv[0]]).toEqual(['nix-hug', name]);
      await expect(createIdleProgram().parseAsync(argv, { from: 'user' })).resolves.toBeDefined();
    },
  );

  it('would refuse an example with an option that does not exist', async () => {
    await expect(
      createIdleProgram().parseAsync(['lock', '--chekc'], { from: 'user' }),
    ).rejects.toThrow("unknown option '--chekc'");
  });
});
