import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createPrinter } from '../../src/cli/printer.ts';
import { HugError } from '../../src/errors.ts';
import { styled } from '../../src/output/text.ts';
import { collector } from '../support/collector.ts';
import { runCli } from '../support/run-cli.ts';

const PLAIN = {
  json: false,
  quiet: false,
  debug: false,
  color: false,
  colorResults: false,
  secrets: new Set<string>(),
};

/** What a result looks like on a stdout of that kind. */
async function shown(
  stdout: { isTTY: boolean; columns?: number },
  options: Partial<typeof PLAIN> = {},
): Promise<string> {
  const collected = collector();
  const output = createPrinter(
    { stdout: Object.assign(collected.stream, stdout), stderr: collector().stream },
    { ...PLAIN, ...options },
  );
  const text = (columns: number | undefined) => `${columns} ${styled('green', 'columns')}`;
  await output.result({ text, json: {}, exitStatus: 0 });
  return collected.text();
}

describe('a result', () => {
  it('is laid out for the width of a terminal, and never for that of a pipe', async () => {
    expect(await shown({ isTTY: true, columns: 42 })).toBe('42 columns\n');
    expect(await shown({ isTTY: false, columns: 42 })).toBe('undefined columns\n');
  });

  it('is laid out for no width where a terminal does not say how wide it is', async () => {
    expect(await shown({ isTTY: true, columns: 0 })).toBe('undefined columns\n');
  });

  it('ends with the next command on stderr, which --quiet leaves out', async () => {
    const said = async (options: Partial<typeof PLAIN>) => {
      const stderr = collector();
      const output = createPrinter(
        { stdout: collector().stream, stderr: stderr.stream },
        { ...PLAIN, ...options },
      );
      await output.result({ text: 'done', json: {}, next: 'nix-hug lock', exitStatus: 0 });
      return stderr.text();
    };
    expect(await said({})).toBe('next: nix-hug lock\n');
    expect(await said({ quiet: true })).toBe('');
    expect(await said({ json: true })).toBe('');
  });

  it('is shown with --quiet too', async () => {
    expect(await shown({ isTTY: true, columns: 42 }, { quiet: true })).toBe('42 columns\n');
  });

  it('has colours where the user wants them, and else none', async () => {
    expect(await shown({ isTTY: false }, { colorResults: true })).toBe(
      'undefined \u001b[32mcolumns\u001b[39m\n',
    );
    expect(await shown({ isTTY: true, columns: 42 }, { color: true })).toBe('42 columns\n');
  });
});

describe('a list of entries', () => {
  const cwd = path.join(import.meta.dirname, '..', '..', 'examples', 'many-models');
  const listed = async (env: Readonly<Record<string, string>>, ...options: readonly string[]) =>
    (await runCli(['ls', ...options], { cwd, env })).stdout;

  it('has colours with FORCE_COLOR, which change nothing else', async () => {
    const colored = await listed({ FORCE_COLOR: '1' });
    expect(colored).toContain('\u001b[2m');
    expect(stripVTControlCharacters(colored)).toBe(await listed({}));
  });

  it('has none on a pipe, with NO_COLOR and with --no-color', async () => {
    expect(await listed({})).not.toContain('\u001b');
    expect(await listed({ FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain('\u001b');
    expect(await listed({ FORCE_COLOR: '1' }, '--no-color')).not.toContain('\u001b');
  });

  it('has colours as --color says', async () => {
    expect(await listed({ NO_COLOR: '1' }, '--color', 'always')).toContain('\u001b[2m');
    expect(await listed({ FORCE_COLOR: '1' }, '--color=never')).not.toContain('\u001b');
    expect(await listed({}, '--color', 'auto')).not.toContain('\u001b');
    const { status, stderr } = await runCli(['ls', '--color', 'often'], { cwd, env: {} });
    expect([status, stderr]).toEqual([2, expect.stringContaining('auto, always, never')]);
    const wrong = await runCli(['lss', '--color', 'always'], { cwd, env: {} });
    expect(wrong.stderr).toContain('\u001b[31merror\u001b[39m EHUG_USAGE');
  });
});

describe('an error', () => {
  const said = (color: boolean): string => {
    const collected = collector();
    const output = createPrinter(
      { stdout: collector().stream, stderr: collected.stream },
      { ...PLAIN, color },
    );
    output.error(new HugError('EHUG_USAGE', 'not so', { hint: 'But so.' }));
    return collected.text();
  };

  it('is coloured where that is wanted, wherever results go', () => {
    expect(said(true)).toBe(
      '\u001b[31merror\u001b[39m EHUG_USAGE: not so\n\u001b[2mhint\u001b[22m: But so.\n',
    );
    expect(said(false)).toBe('error EHUG_USAGE: not so\nhint: But so.\n');
  });
});
