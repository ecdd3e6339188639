import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { inject, injectAlways } from '../support/inject.ts';
import { createProject, lockedProject } from '../support/project.ts';
import { messagesOf } from '../support/troubleshooting.ts';

// Each error code of docs/errors.md, as a command prints it: nix-hug.test.ts produces those of
// docs/troubleshooting.md, and this file the others.

const ENTRY = 'models: { m: org/name }\n';
const BOTH = 'models: { both: org/name }\ndatasets: { both: org/rows }\n';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  for (const [type, id] of [
    ['model', 'org/name'],
    ['dataset', 'org/rows'],
  ] as const) {
    const repo = await hub.createRepo({ type, id });
    await repo.commit({ files: { 'config.json': '{}\n' } });
  }
});
afterAll(() => hub.close());

/** What a command says in a project that is not locked. */
async function unlocked(manifest: string, ...argv: readonly string[]): Promise<string> {
  return (await (await createProject(hub.endpoint, manifest)).run(argv)).stderr;
}

/** What a command says when another program writes a file while the Hub is asked for a tree. */
async function meanwhile(file: string, ...argv: readonly string[]): Promise<string> {
  const { folder, run } = await createProject(hub.endpoint, ENTRY);
  let wrote: Promise<void> | undefined;
  inject(hub, {
    match: ({ url }) => {
      if (url.includes('/tree/')) wrote = writeFile(path.join(folder, file), 'models: {}\n');
      return false;
    },
    fault: { kind: 'delay', ms: 0 },
  });
  const { stderr } = await run(argv);
  await wrote;
  return stderr;
}

const PRODUCERS: Readonly<Record<string, () => Promise<string>>> = {
  EHUG_USAGE: () => unlocked(ENTRY, 'lock', '--unknown'),
  EHUG_MANIFEST_STYLE: () => unlocked('{ datasets: {} }', 'add', 'hf:org/name'),
  EHUG_MANIFEST_CHANGED: () => meanwhile('hug.yaml', 'add', 'hf-datasets:org/rows'),
  EHUG_ENTRY_EXISTS: () => unlocked(ENTRY, 'add', 'hf:org/other', '--name', 'm'),
  EHUG_ENTRY_AMBIGUOUS: () => unlocked(BOTH, 'remove', 'both'),
  EHUG_LOCK_REVISION: async () => {
    const { run } = await lockedProject(hub, ENTRY);
    return (await run(['diff', 'no-such-file'])).stderr;
  },
  EHUG_LOCK_CHANGED: () => meanwhile('hug.lock.json', 'lock'),
  EHUG_LOCK_NOT_A_FILE: async () => {
    const { folder, run } = await createProject(hub.endpoint, ENTRY);
    await symlink('elsewhere', path.join(folder, 'hug.lock.json'));
    return (await run(['lock'])).stderr;
  },
  EHUG_UNSAFE_PATH: () => {
    const body = [{ type: 'file', path: '../a', oid: '0'.repeat(40), size: 1 }];
    injectAlways(hub, '/tree/', { kind: 'json', body });
    return unlocked(ENTRY, 'lock');
  },
  EHUG_FILE_NOT_FOUND: async () => {
    const { run } = await hfUser(hub.endpoint, ENTRY);
    const headers = { 'x-error-code': 'EntryNotFound' };
    injectAlways(hub, '/resolve/', { kind: 'status', status: 404, headers });
    return (await run(['export'])).stderr;
  },
  EHUG_INTERRUPTED: async () => {
    const { run } = await lockedProject(hub, ENTRY);
    return (await run(['update'], { signal: AbortSignal.abort() })).stderr;
  },
};

describe('a command prints', () => {
  it.each(Object.entries(PRODUCERS))('%s', async (code, produce) => {
    expect(await produce()).toContain(`error ${code}: `);
  });

  it('all codes here and in troubleshooting, but that of a defect', () => {
    const ofPage = messagesOf('nix-hug').flatMap((message) => /^EHUG_\w+/u.exec(message) ?? []);
    const produced = new Set([...Object.keys(PRODUCERS), ...ofPage, 'EHUG_INTERNAL']);
    expect([...produced].toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });
});
