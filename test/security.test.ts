import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';

const ROOT = path.join(import.meta.dirname, '..');
/** A link to a test file, such as `[security](../test/security.test.ts)`. */
const TEST_LINK = /\[[^\]]+\]\(\.\.\/(?<file>test\/[^)]+\.test\.ts)\)/gu;

describe('docs/security.md', () => {
  const text = readFileSync(path.join(ROOT, 'docs', 'security.md'), 'utf8');
  const files = [...text.matchAll(TEST_LINK)].map(({ groups }) => groups?.['file'] ?? '');

  it.each([...new Set(files)])('links to %s, which exists', (file) => {
    expect(existsSync(path.join(ROOT, file))).toBe(true);
  });

  it('links to a test file in every row of its tables', () => {
    const rows = text.split('\n').filter((line) => /^\|(?! ---|---)/u.test(line));
    const claims = rows.filter((row) => !row.includes('| Test |'));
    expect(claims.length).toBeGreaterThan(20);
    for (const claim of claims) expect(claim).toMatch(new RegExp(`${TEST_LINK.source} \\|$`, 'u'));
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

  const sentTokens = async (env: Readonly<Record<string, string>>) => {
    const manifest = `endpoint: ${theirs.endpoint}\nmodels: { m: org/name }\n`;
    const { run } = await createProject('', manifest);
    const { status } = await run(['lock'], { env: { HF_TOKEN: TOKEN, ...env } });
    expect(status).toBe(0);
    return new Set(theirs.requests.map(({ authorization }) => authorization));
  };

  it('is sent to the endpoint of the manifest', async () => {
    expect(await sentTokens({})).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('is not sent to the endpoint of the manifest with HF_HUB_DISABLE_IMPLICIT_TOKEN', async () => {
    expect(await sentTokens({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toEqual(new Set([undefined]));
  });

  it('is not sent to the endpoint of the manifest when HF_ENDPOINT overrides it', async () => {
    expect(await sentTokens({ HF_ENDPOINT: ours.endpoint })).toEqual(new Set());
  });
});
