import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';

const ROOT = path.join(import.meta.dirname, '..');
/** `test/file.test.ts`: "title of a test", which may go on in the next line. */
const NAMED_TEST = /`(?<file>test\/[^`]+)`:\s+"(?<title>[^"]+)"/gu;

describe('docs/security.md', () => {
  const text = readFileSync(path.join(ROOT, 'docs', 'security.md'), 'utf8');
  const named = [...text.matchAll(NAMED_TEST)].map(({ groups = {} }) => ({
    file: groups['file'] ?? '',
    title: (groups['title'] ?? '').replace(/\s+/gu, ' '),
  }));

  it.each(named)('names a test that exists: $title', ({ file, title }) => {
    const isThere = readFileSync(path.join(ROOT, file), 'utf8').includes(title);
    expect(isThere, `${file} has no "${title}"`).toBe(true);
  });

  it('names a test in every line of its tables', () => {
    const rows = text.split('\n').filter((line) => /^\|(?! ---|---)/u.test(line));
    const claims = rows.filter((row) => !row.includes('| Test |'));
    expect(claims.length).toBeGreaterThan(20);
    for (const claim of claims) expect(claim).toMatch(new RegExp(NAMED_TEST, 'u'));
  });
});

describe('the token', () => {
  const TOKEN = 'hf_token_of_the_user';
  let ours: Hub;
  let theirs: Hub;
  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startHub(), startHub()]);
    for (const hub of [ours, theirs]) {
      hub.addToken(TOKEN);
      const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
      await repo.commit({ files: { 'config.json': '{}' } });
    }
  });
  afterAll(async () => {
    await Promise.all([ours.close(), theirs.close()]);
  });
  beforeEach(() => theirs.clearRequests());

  const seenByTheirs = async (env: Readonly<Record<string, string>>) => {
    const manifest = `endpoint: ${theirs.endpoint}\nmodels: { m: org/name }\n`;
    const { run } = await createProject('', manifest);
    const { status } = await run(['lock'], { env: { HF_TOKEN: TOKEN, ...env } });
    expect(status).toBe(0);
    return new Set(theirs.requests.map(({ authorization }) => authorization));
  };

  it('is sent to the endpoint that a manifest names', async () => {
    expect(await seenByTheirs({})).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('stays from the endpoint of a manifest when implicit tokens are switched off', async () => {
    expect(await seenByTheirs({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toEqual(
      new Set([undefined]),
    );
  });

  it('stays from the endpoint of a manifest when HF_ENDPOINT names another', async () => {
    expect(await seenByTheirs({ HF_ENDPOINT: ours.endpoint })).toEqual(new Set());
  });
});
