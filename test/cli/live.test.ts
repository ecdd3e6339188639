import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Hub, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';
import { tempFolder } from '../support/temp.ts';
import { describeWith, openTerminal, type Terminal } from '../support/terminal.ts';

const BIN = path.join(import.meta.dirname, '..', '..', 'src', 'bin.ts');
const COUNT = 30;
const LONG = 'a-name-that-is-quite-long-but-could-be-that-of-a-model';
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  for (const number of Array.from({ length: COUNT }).keys()) {
    const repo = await hub.createRepo({ type: 'model', id: `org/m${number}` });
    await repo.commit({ files: { 'config.json': '{}' } });
  }
  // Nothing ends before it is interrupted.
  hub.inject({ match: '/tree/', times: 1_000, fault: { kind: 'stall', afterBytes: 1 } });
});
afterAll(() => hub.close());

/** `nix-hug lock` at work in a terminal, with a shell that tells how it ended. */
async function locking(
  size: { columns: number; rows: number },
  { count = COUNT, name = LONG, env = {} } = {},
): Promise<Terminal> {
  const cwd = path.join(await tempFolder(), 'project');
  await mkdir(cwd);
  const entries = Array.from(
    { length: count },
    (_, number) => `  ${name}-${number}: org/m${number}`,
  );
  await writeFile(path.join(cwd, 'hug.yaml'), `models:\n${entries.join('\n')}\n`);
  const script = `trap : INT; "$0" --import "$1" "$2" lock; echo "status $?"; exec sleep 600`;
  const terminal = await openTerminal({
    command: ['sh', '-c', script, process.execPath, import.meta.resolve('tsx'), BIN],
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, HF_ENDPOINT: hub.endpoint, ...env },
    ...size,
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

const rowsOf = (screen: string) => screen.split('\n').filter((line) => line.includes('listing'));

describeWith(['tmux'], 'the live display', () => {
  it('fits the window, and follows its size', async () => {
    const terminal = await locking({ columns: 50, rows: 10 });
    const small = (await terminal.until(/… and \d+ more/u)).split('\n');
    // Three names, which are whole and take two lines each.
    expect(small).toHaveLength(8);
    expect(small[0]).toMatch(new RegExp(`^${SPINNER.source} 0 of ${COUNT} done$`, 'u'));
    expect(small.slice(1, 3).join('')).toMatch(new RegExp(`^ {2}. models\\.${LONG}-0$`, 'u'));
    expect(small.at(-1)).toBe(`  … and ${COUNT - 3} more`);

    await terminal.resize(120, 40);
    await terminal.until((screen) => {
      const rows = rowsOf(screen);
      return rows.length === COUNT && rows.every((row) => row.includes(LONG));
    });
    await terminal.resize(70, 40);
    const narrow = await terminal.until((screen) => {
      return rowsOf(screen).length === 0 && screen.includes(`${LONG}-${COUNT - 1}`);
    });
    expect(narrow.split('\n')).toHaveLength(COUNT);
  });

  it('counts the wait down that the Hub asks for', async () => {
    const headers = { 'retry-after': '100' };
    inject(hub, { match: '/revision/', times: 3, fault: { kind: 'status', status: 429, headers } });
    const terminal = await locking({ columns: 80, rows: 6 }, { count: 3 });
    const first = await terminal.until(/\nthe next request follows in \d+ s$/u);
    expect(first).toMatch(/the rate limit .* is used up .*waiting 100 s/u);
    const seconds = Number(/in (?<seconds>\d+) s$/u.exec(first)?.groups?.['seconds']);
    await terminal.until(`in ${seconds - 2} s`);
    await terminal.press('C-c');
    await terminal.until('status 130');
    expect(await terminal.history()).not.toContain('the next request follows');
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const terminal = await locking({ columns: 80, rows: 12 });
    await terminal.until(/… and \d+ more/u);
    await terminal.press('C-c');
    const shown = await terminal.until('status 130');
    expect(shown).toContain('error EHUG_INTERRUPTED: interrupted');
    expect(await terminal.history()).not.toMatch(SPINNER);
    expect(await terminal.history()).not.toContain('^C');
    expect(await terminal.cursorIsVisible()).toBe(true);
  });

  it('has colours, but not against the will of the user', async () => {
    const size = { columns: 80, rows: 24 };
    const colored = await locking(size, { count: 1 });
    await colored.until('listing files');
    expect(await colored.screen('-e')).toContain('\u001b[33m');
    const plain = await locking(size, { count: 1, env: { NO_COLOR: '1' } });
    await plain.until('listing files');
    expect(await plain.screen('-e')).not.toContain('\u001b[');
  });
});
