import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { openOutput } from './cli/context.ts';
import { main } from './cli/program.ts';
import { createStandardStream } from './cli/standard-stream.ts';
import { EXIT, HugError, messageOf, systemCodeOf } from './errors.ts';

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: what the progress display is made of ends a process that nobody else listens for.
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  });
}

const world = {
  packageFolder: path.dirname(import.meta.dirname),
  get cwd() {
    return workingFolder();
  },
  env: process.env,
  home: homedir(),
  get stdin() {
    return process.stdin;
  },
  stdout: createStandardStream(1, () => process.stdout, resultRefused),
  // Progress that nobody can see is no reason to end the work half way.
  stderr: createStandardStream(
    2,
    () => process.stderr,
    () => undefined,
  ),
  signal: controller.signal,
};

/** Fulfilled when the command is done, and what it has to say is out. */
export const ended = run();

async function run(): Promise<void> {
  const status = await main(process.argv.slice(2), world);
  process.exitCode ??= status;
  await Promise.all([world.stdout.drained(), world.stderr.drained()]);
}

/** Looked up when a command needs it: one that is told its folder in full does not. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const message = `there is no working directory: ${messageOf(error)}`;
    const hint = 'Change to a folder that exists, or name one with -C by its full path.';
    throw new HugError('EHUG_FILE_SYSTEM', message, { hint, cause: error });
  }
}

function resultRefused(error: unknown): void {
  // Whoever reads no further has what they wanted, as with `head`.
  if (systemCodeOf(error) === 'EPIPE') return;
  const message = `cannot write the result: ${messageOf(error)}`;
  const hint = 'The command itself is done; see that its output has room, and run it again.';
  const failure = new HugError('EHUG_FILE_SYSTEM', message, { hint, cause: error });
  process.exitCode = openOutput({}, world).output.error(failure);
}
