import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { codeCachePath, loadProgram } from '../src/compiled.ts';

// Runs the command as users do, and keeps what V8 has compiled by then.
// Its arguments are the command in one file, and a folder with a manifest and its lock.
const [, , file = '', project = ''] = process.argv;
const RUNS = ['--help', 'lock', 'lock --check', 'ls'];

const program = loadProgram(path.resolve(file));
for (const line of RUNS) {
  process.argv.splice(2, Infinity, '-C', project, '--offline', ...line.split(' '));
  process.exitCode = undefined;
  const { ended } = program.run();
  await ended;
  if (process.exitCode !== 0) throw new Error(`nix-hug ${line} failed`);
}
writeFileSync(codeCachePath(file), program.codeCache());
