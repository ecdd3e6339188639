import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../scripts/docs/command-table.ts';
import { manPage } from '../scripts/docs/man-page.ts';
import { PAGES } from '../scripts/docs/pages.ts';
import { packageVersion } from '../src/cli/context.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { parseLock } from '../src/lock/codec.ts';
import { parseManifest } from '../src/manifest/parse.ts';
import { ended } from './support/ended.ts';
import { codeBlocks } from './support/page.ts';
import { runCli } from './support/run-cli.ts';
import { describeWith } from './support/terminal.ts';

const ROOT = path.join(import.meta.dirname, '..');
const text = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.join(folder, file));

const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...filesIn('docs', '.md')].map(
  (file) => ({ file, content: text(file) }),
);

/** Code blocks of a language in all pages. */
const blocksOf = (language: string) =>
  pages.flatMap(({ file, content }) =>
    codeBlocks(content)
      .filter((block) => block.language === language)
      .map(({ code }) => ({ file, code })),
  );

const help = async (...command: string[]) => {
  const { stdout } = await runCli([...command, '--help'], { cwd: ROOT });
  return stdout;
};

/** What a help lists under a heading: the first words of the lines that are not continued ones. */
const listed = (shown: string, heading: string): string[] => {
  const block = new RegExp(`^${heading}:\n(?<lines>(?: .*\n)+)`, 'mu').exec(shown);
  return [...(block?.groups?.['lines'] ?? '').matchAll(/^ {2}(?<term>\S.*?)(?: {2,}.*)?$/gmu)].map(
    ({ groups }) => groups?.['term'] ?? '',
  );
};

describe('generated pages', () => {
  it.each(Object.entries(PAGES))('docs/%s is what `npm run docs` writes', (name, content) => {
    expect(text(`docs/${name}`)).toBe(content);
  });

  it('have every command with all that its --help shows', async () => {
    const page = PAGES['commands.md'] ?? '';
    const groups = new Set(commands.map(({ group }) => group));
    const whole = await help();
    const names = [...groups]
      .flatMap((group) => listed(whole, group))
      .map((term) => term.split(' ', 1)[0] ?? '');
    expect(names.filter((name) => name !== 'help')).toEqual(commands.map(({ name }) => name));
    expect(names.length).toBeGreaterThan(4);
    for (const name of names.filter((each) => each !== 'help')) {
      const section = page.split(/^## /mu).find((each) => each.startsWith(`\`${name}\`\n`)) ?? '';
      const shown = await help(name);
      expect(section).toContain(/^Usage: (?<usage>.+)$/mu.exec(shown)?.groups?.['usage']);
      const terms = [...listed(shown, 'Arguments'), ...listed(shown, 'Options')];
      for (const term of terms.filter((each) => each !== '-h, --help')) {
        expect(section, name).toContain(`| \`${term}\` |`);
      }
    }
    for (const term of listed(await help(), 'Options')) expect(page).toContain(`| \`${term}\` |`);
  });

  it('have every error code with its exit status and what it means', () => {
    for (const [code, exitStatus] of Object.entries(ERROR_CODES)) {
      expect(PAGES['errors.md']).toMatch(
        new RegExp(`\\| \`${code}\` \\| ${exitStatus} \\| \\S`, 'u'),
      );
    }
  });

  it('have every environment variable that is read', () => {
    const read = filesIn('src', '.ts').flatMap((file) =>
      [...text(file).matchAll(/\benv(?:\['|, ')(?<name>[A-Z_]+)'/gu)].map(
        ({ groups }) => groups?.['name'] ?? '',
      ),
    );
    expect(read.length).toBeGreaterThan(15);
    const page = PAGES['commands.md'] ?? '';
    expect(read.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('pages', () => {
  it('have manifests that the reader takes', () => {
    const blocks = blocksOf('yaml');
    expect(blocks.length).toBeGreaterThan(2);
    for (const { file, code } of blocks) {
      expect(parseManifest(code, file).entries.length).toBeGreaterThan(0);
    }
  });

  it('have locks that the reader takes', () => {
    const blocks = blocksOf('json');
    expect(blocks.length).toBeGreaterThan(0);
    for (const { file, code } of blocks) expect(() => parseLock(code, file)).not.toThrow();
  });

  it('begin the changelog with the version of the package', () => {
    expect(/^## (?<version>\S+)/mu.exec(text('CHANGELOG.md'))?.groups?.['version']).toBe(
      packageVersion({ packageFolder: ROOT }),
    );
  });
});

describeWith(['mandoc'], 'the man page', () => {
  const mandoc = async (...options: string[]) => {
    const child = spawn('mandoc', options, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(manPage());
    return ended(child);
  };

  it('is sound but for the date that it does not have', async () => {
    const { stdout } = await mandoc('-Tlint', '-Wwarning');
    expect(
      stdout
        .trim()
        .split('\n')
        .filter((line) => !line.includes('missing date')),
    ).toEqual([]);
  });

  it('shows every command and option', async () => {
    const { stdout } = await mandoc('-Tutf8', '-Owidth=200');
    const shown = stdout.replaceAll(/.\u0008/gu, '');
    for (const { usage, options } of commands) {
      expect(shown).toContain(usage);
      for (const { term } of options) expect(shown).toContain(term);
    }
    expect(shown).toContain('hug.lock.json');
    expect(shown).not.toContain('`');
  });
});
