import { describe, expect, it } from 'vitest';
import { createRunTool } from '../../src/store/nix-tool.ts';
import { isolatedStore } from '../support/isolated-store.ts';

describe('a tool', () => {
  /** What a Nix tool sees of the memory that it is to keep. */
  async function spareMemory(env: Readonly<Record<string, string>>): Promise<unknown> {
    const store = await isolatedStore();
    const run = createRunTool({ env: { ...store.env, ...env } });
    const expression = 'builtins.getEnv "MALLOC_TOP_PAD_"';
    return JSON.parse(await run('nix-instantiate', ['--eval', '--json', '-'], expression));
  }

  it('keeps freed memory, unless the user sets MALLOC_TOP_PAD_', async () => {
    expect(Number(await spareMemory({}))).toBeGreaterThan(0);
    expect(await spareMemory({ MALLOC_TOP_PAD_: '0' })).toBe('0');
  });
});
