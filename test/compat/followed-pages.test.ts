import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ended } from '../support/ended.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { createNix } from '../support/nix.ts';
import { BUILT } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';
import { MODEL_FILES } from './clients.ts';
import { NEWEST } from './confined.ts';

// Pages as a reader follows them: their files are written, and their commands run in their order.

vi.setConfig({ testTimeout: 300_000 });

const DOCS = path.join(import.meta.dirname, '..', '..', 'docs');

/** A file that a page shows, or a command. */
type Step = { readonly file: string; readonly text: string } | { readonly command: string };

function stepsOf(page: string): Step[] {
  const blocks = page.matchAll(
    /(?:<!-- file: (?<file>\S+) -->\n\n)?^```(?<language>\w+)\n(?<code>[^]*?)^```$/gmu,
  );
  return [...blocks].flatMap(({ groups = {} }): Step[] => {
    const { file, language, code = '' } = groups;
    if (file !== undefined) return [{ file, text: code }];
    if (language !== 'console') return [];
    const lines = code.split('\n').filter((line) => line.startsWith('$ '));
    return lines.map((line) => ({ command: line.slice(2) }));
  });
}

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'acme/greeter' });
  await repo.commit({ files: MODEL_FILES });
});
afterAll(() => hub.close());

/** What a command printed, by the command. */
type Printed = ReadonlyMap<string, string>;

/**
 * Follows a page in a new folder.
 *
 * @param before a command of the reader that the page does not show
 */
async function follow(name: string, withNix: boolean, before?: string): Promise<Printed> {
  const folder = await tempFolder('reader ä');
  const nix = withNix ? await createNix() : undefined;
  try {
    const [bin = '', home = '', project = '', tools = ''] = await Promise.all(
      ['bin', 'home', 'project', 'tools'].map(async (each) => {
        await mkdir(path.join(folder, each));
        return path.join(folder, each);
      }),
    );
    const program = (place: string, text: string) =>
      writeFile(place, `#!/bin/sh\nexec ${text} "$@"\n`, { mode: 0o755 });
    await program(path.join(bin, 'nix-hug'), `'${process.execPath}' '${BUILT}'`);
    // All that the pages call, and no Nix.
    for (const tool of ['git', 'cat']) await program(path.join(tools, tool), `/usr/bin/${tool}`);
    const others = nix === undefined ? tools : (process.env['PATH'] ?? '');
    const env = {
      ...nix?.environment,
      PATH: [bin, path.join(NEWEST, 'bin'), others].join(':'),
      HOME: home,
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_DISABLE_TELEMETRY: '1',
    };
    const printed = new Map<string, string>();
    const run = async (command: string) => {
      if (command.includes('--offline')) hub.clearRequests();
      const child = spawn('/bin/bash', ['-ec', command], {
        cwd: project,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { status, stdout, stderr } = await ended(child);
      expect(status, `${command}\n${stdout}${stderr}`).toBe(0);
      if (command.includes('--offline')) expect(hub.requests).toEqual([]);
      printed.set(command, stdout);
    };
    if (before !== undefined) await run(before);
    for (const step of stepsOf(await readFile(path.join(DOCS, name), 'utf8'))) {
      if ('command' in step) await run(step.command);
      else await writeFile(path.join(project, step.file), step.text);
    }
    return printed;
  } finally {
    await nix?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

it.each([true, false])(
  'docs/tutorial.md works to its last command, with Nix: %s',
  async (withNix) => {
    const printed = await follow('tutorial.md', withNix);
    const tokens = "['hello', 'world']\n";
    expect(printed.get('nix-hug run -- python app.py')).toBe(tokens);
    expect(printed.get('nix-hug --offline run -- python app.py')).toBe(tokens);
    expect(printed.get('cat hug.yaml')).toContain('greeter: acme/greeter');
    expect(printed.get('cat hug.yaml')).toContain('app.py:3');
    expect(printed.get('nix-hug lock --check')).toContain('up to date');
  },
);

it('docs/from-existing-cache.md works with a cache that the client filled', async () => {
  const printed = await follow('from-existing-cache.md', true, 'hf download acme/greeter');
  expect(printed.get('nix-hug scan')).toContain('acme/greeter');
  expect(printed.get('nix-hug init --from-cache')).toContain('acme/greeter');
  expect(printed.get('nix-hug import')).toContain('added to the Nix store');
  expect(printed.get('nix-hug export --link')).toContain('models--acme--greeter');
});
