import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands, globalOptions } from '../scripts/docs/command-table.ts';
import {
  anchorsOf,
  brokenLinks,
  callsOf,
  type Page,
  unknownCalls,
  unmentioned,
  unreachedPages,
} from './support/page-checks.ts';

const ROOT = path.join(import.meta.dirname, '..');
const read = (file: string): Page => ({
  file,
  content: readFileSync(path.join(ROOT, file), 'utf8'),
});

const top = readdirSync(ROOT).filter((file) => file.endsWith('.md') && file !== 'README.md');
const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => path.join('docs', file));
const pages = ['README.md', ...top, ...docs].map(read);
/** What `nix-hug --help` shows is on the generated page anyway. */
const written = pages.filter(({ file }) => file !== 'docs/commands.md');
const table = { commands, globalOptions };

const page = (content: string, file = 'docs/a.md'): Page => ({ file, content });
const none = () => false;

describe('the pages', () => {
  it('link to files and headings that exist', () => {
    const exists = (file: string) => existsSync(path.join(ROOT, file));
    expect(pages.length).toBeGreaterThan(20);
    expect(brokenLinks(pages, exists)).toEqual([]);
  });

  it('are all reached from the README', () => {
    expect(unreachedPages(pages)).toEqual([]);
  });

  it('name no command and no option that does not exist', () => {
    expect(pages.flatMap(callsOf).length).toBeGreaterThan(200);
    expect(unknownCalls(pages, table)).toEqual([]);
  });

  it('have every command and every option', () => {
    expect(unmentioned(pages, table)).toEqual([]);
  });

  it('have every command on a page that is not generated', () => {
    expect(
      unmentioned(written, { commands: commands.map(withoutOptions), globalOptions: [] }),
    ).toEqual([]);
  });
});

/** A command without its options. */
function withoutOptions({ name }: { readonly name: string }) {
  return { name, options: [] };
}

describe('a check of links', () => {
  it('finds a file and a heading that are missing', () => {
    const linked = page(
      '[a](b.md) [c](#d) [e](a.md#f) [g](https://h.example/i.md)\n\n# D\n\n# E F\n',
    );
    expect(brokenLinks([linked], (file) => file === 'docs/a.md')).toEqual([
      'docs/a.md: b.md',
      'docs/a.md: a.md#f',
    ]);
    expect(brokenLinks([page('[a](../b.md)\n')], none)).toEqual(['docs/a.md: ../b.md']);
  });

  it('passes over code', () => {
    expect(brokenLinks([page('```sh\n[a](b.md)\n# C\n```\n[d](#c)\n')], () => true)).toEqual([
      'docs/a.md: #c',
    ]);
  });

  it('names headings as GitHub does', () => {
    const headings = '# A `b --c` [d](e), f: g.h\n## A\n## A\n### Größe & Co\n';
    expect([...anchorsOf(headings)]).toEqual(['a-b---c-d-f-gh', 'a', 'a-1', 'größe--co']);
  });
});

describe('a check of reach', () => {
  it('finds a page that only unreached ones link to', () => {
    const three = [page('[b](docs/b.md#x)\n', 'README.md'), page('', 'docs/b.md')];
    const lost = [page('[d](d.md)\n', 'docs/c.md'), page('[c](c.md)\n', 'docs/d.md')];
    expect(unreachedPages([...three, ...lost])).toEqual(['docs/c.md', 'docs/d.md']);
  });
});

describe('a check of commands', () => {
  const unknown = (content: string) => unknownCalls([page(content)], table);

  it.each([
    '`nix-hug frobnicate`',
    '`nix-hug lock --frozen`',
    '`nix-hug -z lock`',
    '```console\n$ nix-hug fetch --strict\n```',
    '```console\n$ HF_TOKEN=x nix-hug locks\n```',
    '```sh\nnix-hug lock --check --fast # why\n```',
    '```console\n$ nix run github:nix-hug/nix-hug -- lok\n```',
    '```console\n$ eval "$(nix-hug envs)"\n```',
    '```console\n$ nix-hug add a/b \\\n    --includes x\n```',
  ])('finds %j', (content) => {
    expect(unknown(content)).toHaveLength(1);
  });

  it.each([
    '`nix-hug lock --check`, `nix-hug.lib`, `nix-hug`',
    '`nix-hug -C DIR --json lock [--dry-run]`',
    '```console\n$ nix-hug run --group gpu -- vllm serve --served-model-name x\n```',
    '```console\n$ nix-hug update && git commit --all\n```',
    '```nix\nnix-hug frobnicate\n```',
  ])('passes %j', (content) => {
    expect(unknown(content)).toEqual([]);
  });

  it('finds commands and options that stand nowhere', () => {
    const small = {
      commands: [{ name: 'lock', options: [{ term: '--check' }, { term: '-y, --yes' }] }],
      globalOptions: [{ term: '-C, --cwd <dir>' }],
    };
    const text = 'nix-hug locked --check-all --yes -C';
    expect(unmentioned([page(text)], small)).toEqual(['lock', 'lock --check', 'lock -y', '--cwd']);
    expect(unmentioned([page('nix-hug lock --check -y --yes -C --cwd')], small)).toEqual([]);
  });
});
