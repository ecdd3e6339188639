import { describe, expect, it } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';
import { collector } from '../support/collector.ts';

const SILENT = { json: false, debug: false, color: false, secrets: new Set<string>() };

/** What a result looks like on a stdout of that kind. */
function shown(stdout: { isTTY: boolean; columns?: number }, quiet = false): string {
  const collected = collector();
  const output = createOutput(
    { stdout: Object.assign(collected.stream, stdout), stderr: collector().stream },
    { ...SILENT, quiet },
  );
  output.result({ text: (columns) => `${columns} columns`, json: {}, exitStatus: 0 });
  return collected.text();
}

describe('a result', () => {
  it('is laid out for the width of a terminal, and never for that of a pipe', () => {
    expect(shown({ isTTY: true, columns: 42 })).toBe('42 columns\n');
    expect(shown({ isTTY: false, columns: 42 })).toBe('undefined columns\n');
  });

  it('is not shown when it shall be quiet', () => {
    expect(shown({ isTTY: true, columns: 42 }, true)).toBe('');
  });
});
