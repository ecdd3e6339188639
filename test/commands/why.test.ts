import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { pathNames } from '../../src/lock/names.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { createProject } from '../support/project.ts';

const REV = 'c'.repeat(40);
const BASE = 'needed.models/meta-llama/Llama-3.2-1B@main';
const GPT2 = 'needed.models/gpt2@v1';

const filesOf = (...paths: readonly string[]) =>
  new Map(paths.map((file) => [file, lockedFile('a', pathNames(file))] as const));

const LOCK: Lock = {
  ...lockOf(
    {
      code: lockedEntry({ repo: 'org/code', ref: REV }),
      lora: lockedEntry({
        repo: 'acme/lora',
        needs: [
          { repo: 'gone/away', ref: 'main', by: 'config.json' },
          { repo: 'meta-llama/Llama-3.2-1B', ref: 'main', by: 'adapter_config.json' },
        ],
        files: filesOf('adapter_config.json', 'config.json'),
      }),
    },
    { datasets: new Map([['lora', lockedEntry({ repo: 'org/rows', files: filesOf('a b.csv') })]]) },
  ),
  needed: new Map([
    [
      'models/gpt2@v1',
      lockedEntry({
        repo: 'openai-community/gpt2',
        requested: 'gpt2',
        ref: 'v1',
        needs: [{ repo: 'org/code', ref: REV, by: 'config.json' }],
      }),
    ],
    [
      'models/meta-llama/Llama-3.2-1B@main',
      lockedEntry({
        repo: 'meta-llama/Llama-3.2-1B',
        needs: [{ repo: 'gpt2', ref: 'v1', by: 'modules/a\u202eb.json' }],
        files: filesOf('modules/a\u202eb.json', 'tokenizer.json'),
      }),
    ],
    ['models/org/orphan@main', lockedEntry({ repo: 'org/orphan', files: filesOf('alone.txt') })],
  ]),
};

const MANIFEST = `models: { lora: acme/lora, code: { repo: org/code, ref: ${REV} } }
datasets: { lora: org/rows }
`;

/** A folder with the lock that could reach no Hub, and with the manifest if there is one. */
async function project(manifest?: string) {
  const made = await createProject('http://127.0.0.1:9', manifest ?? '');
  await made.writeLock(formatLock(LOCK));
  if (manifest === undefined) await rm(path.join(made.folder, 'hug.yaml'));
  return made;
}

const TO_BASE = [
  { entry: 'models.lora', by: null },
  { entry: BASE, by: 'adapter_config.json' },
];
const TO_GPT2 = [...TO_BASE, { entry: GPT2, by: 'modules/a\u202eb.json' }];
const TO_CODE = [
  [{ entry: 'models.code', by: null }],
  [...TO_GPT2, { entry: 'models.code', by: 'config.json' }],
];
const DATASET = { entry: 'datasets.lora', by: null };

describe('why', () => {
  it.each([
    ['an id', 'meta-llama/Llama-3.2-1B', [TO_BASE]],
    ['an id in another case', 'META-llama/llama-3.2-1b', [TO_BASE]],
    ['an id and its ref', 'meta-llama/Llama-3.2-1B@main', [TO_BASE]],
    ['an id and another ref', 'meta-llama/Llama-3.2-1B@dev', []],
    ['an id and its commit', `meta-llama/Llama-3.2-1B@${REV}`, [TO_BASE]],
    ['a form with a type', 'hf:meta-llama/Llama-3.2-1B', [TO_BASE]],
    ['a form with a type and a ref', 'hf:gpt2@v1', [TO_GPT2]],
    ['the other type', 'hf-datasets:meta-llama/Llama-3.2-1B', []],
    ['an address', 'https://huggingface.co/meta-llama/Llama-3.2-1B', [TO_BASE]],
    ['an address of a file', 'https://hf.co/gpt2/blob/v1/config.json', [TO_GPT2]],
    ['an address of another file', 'https://hf.co/gpt2/blob/v1/other.json', []],
    ['a path of the file system', 'hf://gpt2@v1', [TO_GPT2]],
    ['an address of the endpoint', 'http://127.0.0.1:9/gpt2', [TO_GPT2]],
    ['an id as a file names it', 'gpt2', [TO_GPT2]],
    ['the id after a redirect', 'openai-community/gpt2', [TO_GPT2]],
    ['a key of needed', 'models/meta-llama/Llama-3.2-1B@main', [TO_BASE]],
    ['a place', BASE, [TO_BASE]],
    ['a name', 'code', TO_CODE],
    ['a repository of an entry', 'org/code', TO_CODE],
    ['a name of two entries', 'lora', [[TO_BASE[0]], [DATASET]]],
    ['one of them', 'datasets.lora', [[DATASET]]],
    ['a path', 'tokenizer.json', [TO_BASE]],
    ['a path of several entries', 'config.json', [[TO_CODE[0]?.[0]], [TO_BASE[0]]]],
    ['a path that is no repository', 'a b.csv', [[DATASET]]],
    ['what is only named', 'gone/away', []],
    ['what no entry needs', 'org/orphan', []],
    ['a file of what no entry needs', 'alone.txt', []],
    ['what is nowhere', 'no/body', []],
    ['a word like a property', '__proto__', []],
  ])('answers %s: %s', async (_, target, expected) => {
    const { run } = await project();
    const { status, stderr, json } = await run(['why', target, '--json']);
    expect(json()).toEqual({ chains: expected });
    expect([status, stderr]).toEqual([expected.length === 0 ? 1 : 0, '']);
  });

  it.each([
    [
      'code',
      [
        `models.code (org/code at ${REV.slice(0, 12)})`,
        'models.lora (acme/lora at main)',
        '└ adapter_config.json names meta-llama/Llama-3.2-1B at main',
        String.raw`  └ modules/a\u202eb.json names gpt2 at v1`,
        `    └ config.json names org/code at ${REV.slice(0, 12)} (models.code)`,
      ],
    ],
    [
      'tokenizer.json',
      [
        'models.lora (acme/lora at main)',
        '└ adapter_config.json names meta-llama/Llama-3.2-1B at main',
        '  └ has tokenizer.json',
      ],
    ],
    ['a b.csv', ['datasets.lora (org/rows at main)', '└ has a b.csv']],
    [
      'org/orphan',
      ['no entry needs needed.models/org/orphan@main any more; nix-hug lock removes it'],
    ],
    ['no/body', ['the lock has no entry, repository or file "no/body"']],
    ['a\u202eb', [String.raw`the lock has no entry, repository or file "a\u202eb"`]],
    ['https://hf.co/no/body?token=secret', ['the lock has no entry, repository or file "no/body"']],
    [
      'Gone/Away',
      [
        'the lock has no entry, repository or file "Gone/Away"',
        '└ config.json of models.lora names gone/away at main',
      ],
    ],
  ])('prints %s', async (target, lines) => {
    const { run } = await project();
    const { stdout, stderr } = await run(['why', target]);
    expect([stdout.split('\n'), stderr]).toEqual([[...lines, ''], '']);
  });

  it('answers beside a manifest, too, and offline', async () => {
    const { run } = await project(MANIFEST);
    for (const argv of [['--offline'], []]) {
      const { status, json } = await run(['why', 'gpt2', '--json', ...argv]);
      expect([status, json()]).toEqual([0, { chains: [TO_GPT2] }]);
    }
  });

  it('reports an entry that is not locked yet, a lock that is out of date, and a wrong address', async () => {
    const { run } = await project(MANIFEST.replace('{ lora', '{ fresh: no/body, lora'));
    const { status, stderr } = await run(['why', 'fresh']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('fresh is not locked yet')]);
    expect((await run(['why', 'code'])).stderr).toContain('out of date');
    const other = await run(['why', 'https://user:pass@hf.co/gpt2']);
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('EHUG_REPO_INVALID')]);
    expect(other.stderr).not.toContain('pass@');
  });

  it('completes the names of entries', async () => {
    const { run } = await project(MANIFEST);
    const { stdout } = await run(['complete', 'why', '']);
    expect(stdout.trim().split('\n')).toEqual(['code', 'datasets.lora', 'models.lora']);
  });
});
