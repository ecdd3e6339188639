import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe } from 'vitest';
import { ended } from './ended.ts';

/** What runs in a terminal, and how large that is. */
export interface TerminalOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment but `TERM`, which the terminal sets. */
  readonly env: Readonly<Record<string, string>>;
  /** In characters; default 80. */
  readonly columns?: number;
  /** In lines; default 24. */
  readonly rows?: number;
}

/** A real terminal that nobody sees. */
export interface Terminal {
  /** Presses keys as tmux names them (`Tab`, `C-c`), or types text. */
  press(...keys: readonly string[]): Promise<void>;
  /** The lines that a user sees; with `-e` in the colours they have. */
  screen(...options: readonly string[]): Promise<string>;
  /** Waits until the screen shows something, or is as it should be, and returns it. */
  until(pattern: string | RegExp | ((screen: string) => boolean)): Promise<string>;
  /** Lines that went out at the top, and the screen. */
  history(): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** Whether the cursor can be seen. */
  cursorIsVisible(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a terminal with something running in it; it stays when that ends. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const folder = await mkdtemp(path.join(tmpdir(), 'terminal-'));
  const env = { LANG: 'C.UTF-8', ...options.env };
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const socket = path.join(folder, 'socket');
    const child = spawn('tmux', ['-f', '/dev/null', '-S', socket, ...args], {
      env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { status, stdout, stderr } = await ended(child);
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout.trimEnd();
  };
  const { columns = 80, rows = 24, command } = options;
  const size = `new-session -d -x ${columns} -y ${rows} --`;
  const settings = 'set -g remain-on-exit on ; set -g status off ; set -g history-limit 5000';
  await tmux(...`start-server ; ${settings} ; ${size}`.split(' '), ...command);
  const screen = (...flags: readonly string[]) => tmux('capture-pane', '-p', ...flags);
  return {
    press: async (...keys) => void (await tmux('send-keys', '--', ...keys)),
    screen,
    until: async (pattern) => {
      for (;;) {
        const shown = await screen();
        if (isShown(pattern, shown)) return shown;
        await wait(50);
      }
    },
    history: () => screen('-S', '-'),
    resize: async (width, height) =>
      void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
    cursorIsVisible: async () => (await tmux('display', '-p', '#{cursor_flag}')) === '1',
    close: async () => {
      await tmux('kill-server');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Has tests that need programs of `scripts/setup-shells.sh`; skipped where one is missing. */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  describe.skipIf(missing.length > 0 && reportMissing(missing))(name, tests);
}

function reportMissing(missing: readonly string[]): true {
  const message = `there is no ${missing.join(' and no ')}: run scripts/setup-shells.sh`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`Tests are skipped: ${message}`);
  return true;
}

function isShown(pattern: Parameters<Terminal['until']>[0], screen: string): boolean {
  if (typeof pattern === 'string') return screen.includes(pattern);
  return pattern instanceof RegExp ? pattern.test(screen) : pattern(screen);
}
