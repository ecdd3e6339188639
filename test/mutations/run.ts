// Breaks a copy of the repository in one place after the other, and runs the test that has to
// notice. Ends with 1 when a defect goes unnoticed.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Mutation, MUTATIONS } from './table.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const exec = promisify(execFile);

async function copyRepository(): Promise<string> {
  const copy = await mkdtemp(path.join(tmpdir(), 'nix-hug-mutations-'));
  const { stdout } = await exec('git', ['ls-files', '-z'], { cwd: ROOT });
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    await cp(path.join(ROOT, file), path.join(copy, file), { recursive: true });
  }
  for (const name of ['node_modules', '.cache', 'dist']) {
    await symlink(path.join(ROOT, name), path.join(copy, name));
  }
  return copy;
}

/** Whether a test file passes. */
async function passes(copy: string, test: string): Promise<boolean> {
  try {
    const args = ['vitest', 'run', '--bail=1', '--reporter=dot', test];
    await exec('npx', args, {
      cwd: copy,
      maxBuffer: Infinity,
      env: { ...process.env, CI: 'true' },
    });
    return true;
  } catch {
    return false;
  }
}

async function isCaught(copy: string, mutation: Mutation): Promise<boolean> {
  const file = path.join(copy, mutation.file);
  const text = await readFile(file, 'utf8');
  const parts = text.split(mutation.before);
  if (parts.length !== 2) {
    throw new Error(
      `${mutation.file} does not have exactly one ${JSON.stringify(mutation.before)}`,
    );
  }
  await writeFile(file, parts.join(mutation.after));
  try {
    return !(await passes(copy, mutation.caughtBy));
  } finally {
    await writeFile(file, text);
  }
}

const copy = await copyRepository();
try {
  for (const test of new Set(MUTATIONS.map(({ caughtBy }) => caughtBy))) {
    if (!(await passes(copy, test))) throw new Error(`${test} fails without any defect`);
  }
  let unnoticed = 0;
  for (const mutation of MUTATIONS) {
    const caught = await isCaught(copy, mutation);
    if (!caught) unnoticed += 1;
    const outcome = caught ? 'caught' : 'UNNOTICED';
    console.log(`${outcome.padEnd(9)}  ${mutation.defect} (${mutation.caughtBy})`);
  }
  console.log(`${MUTATIONS.length - unnoticed} of ${MUTATIONS.length} defects are caught`);
  if (unnoticed > 0) process.exitCode = 1;
} finally {
  await rm(copy, { recursive: true, force: true });
}
