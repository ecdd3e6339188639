import { setMaxListeners } from 'node:events';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { openOutput } from './cli/context.ts';
import { main } from './cli/main.ts';
import { createProgramRunner } from './cli/program.ts';
import { EXIT, HugError, messageOf, systemCodeOf } from './errors.ts';

/** How long a command may take to clean up after a signal. */
const MAX_CLEAN_UP_MS = 4_000;

const controller = new AbortController();
// Every file that is read listens to it, any number at once; Node would warn of a leak.
setMaxListeners(0, controller.signal);
const programs = createProgramRunner(process.env);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: the second signal ends a command that does not stop.
  process.on(signal, () => {
    if (programs.forward(signal)) return;
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
    // It may wait for what cannot be aborted: a file system that hangs, a reader that does not read.
    setTimeout(() => process.exit(EXIT.interrupted), MAX_CLEAN_UP_MS);
  });
}

const { stdout, stderr } = process;
const world = {
  packageFolder: path.dirname(import.meta.dirname),
  // Looked up when a command needs it: one that is told its folder in full does not.
  get cwd() {
    try {
      return process.cwd();
    } catch (error) {
      const message = `there is no working directory: ${messageOf(error)}`;
      const hint = 'Change to a folder that exists, or name one with -C by its full path.';
      throw new HugError('EHUG_FILE_SYSTEM', message, { hint, cause: error });
    }
  },
  env: process.env,
  get home() {
    return homeFolder();
  },
  // Node opens standard input when it is first read here, which most commands never do.
  get stdin() {
    return process.stdin;
  },
  stdout,
  stderr,
  signal: controller.signal,
  runProgram: programs.run,
};

stdout.on('error', resultRefused);
// Progress that nobody can see is no reason to stop half way.
stderr.on('error', () => undefined);

void run();

/** Runs the command, and ends the process when all that it wrote is out. */
async function run(): Promise<void> {
  const status = await main(process.argv.slice(2), world);
  for (const stream of [stdout, stderr]) {
    await new Promise((resolve) => stream.write('', resolve));
  }
  process.exit(process.exitCode ?? status);
}

/** Looked up when a command needs it. An empty one would put the cache into the working folder. */
function homeFolder(): string {
  let reason = 'HOME is empty or relative';
  try {
    const home = homedir();
    if (path.isAbsolute(home)) return home;
  } catch (error) {
    reason = messageOf(error);
  }
  throw new HugError('EHUG_FILE_SYSTEM', `there is no home folder: ${reason}`, {
    hint: 'Set HOME to the full path of a folder.',
  });
}

/** Node calls this when the system does not take what the command writes to stdout. */
function resultRefused(error: unknown): void {
  // A reader that stops early has what it wanted, as with `head`.
  if (systemCodeOf(error) === 'EPIPE') return;
  const message = `cannot write the result: ${messageOf(error)}`;
  const hint = 'The command itself is done; make room for its output and run it again.';
  const failure = new HugError('EHUG_FILE_SYSTEM', message, { hint, cause: error });
  process.exitCode = openOutput({}, world).output.error(failure);
}
