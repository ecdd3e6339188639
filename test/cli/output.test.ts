import { describe, expect, it } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';
import { HugError } from '../../src/errors.ts';
import { collector } from '../support/collector.ts';

const SILENT = { json: false, debug: false, color: false, secrets: new Set<string>() };

/** What a result looks like on a stdout of that kind. */
async function shown(stdout: { isTTY: boolean; columns?: number }, quiet = false): Promise<string> {
  const collected = collector();
  const output = createOutput(
    { stdout: Object.assign(collected.stream, stdout), stderr: collector().stream },
    { ...SILENT, quiet },
  );
  await output.result({ text: (columns) => `${columns} columns`, json: {}, exitStatus: 0 });
  return collected.text();
}

describe('a result', () => {
  it('is laid out for the width of a terminal, and never for that of a pipe', async () => {
    expect(await shown({ isTTY: true, columns: 42 })).toBe('42 columns\n');
    expect(await shown({ isTTY: false, columns: 42 })).toBe('undefined columns\n');
  });

  it('is not shown when it shall be quiet', async () => {
    expect(await shown({ isTTY: true, columns: 42 }, true)).toBe('');
  });
});

describe('an error', () => {
  const said = (color: boolean): string => {
    const collected = collector();
    const output = createOutput(
      { stdout: collector().stream, stderr: collected.stream },
      { ...SILENT, quiet: false, color },
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
