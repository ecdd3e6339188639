#!/usr/bin/env node
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { main } from './cli/program.ts';
import { EXIT } from './errors.ts';

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: what the progress display is made of ends a process that nobody else listens for.
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  });
}
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  packageFolder: path.dirname(import.meta.dirname),
  cwd: process.cwd(),
  env: process.env,
  home: homedir(),
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
