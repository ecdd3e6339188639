import { packageVersion } from '../../src/cli/context.ts';
import { commands, globalOptions, program, type Term } from './command-table.ts';
import { ENVIRONMENT, EXIT_STATUSES, FILES } from './reference.ts';

/** The man page `nix-hug.1`, from the command table. It has no date, so that builds are equal. */
export function manPage(): string {
  const version = packageVersion({ packageFolder: process.cwd() });
  const sections: readonly (readonly string[])[] = [
    [`.TH NIX-HUG 1 "" "nix-hug ${version}" "User Commands"`],
    [
      '.SH NAME',
      `nix-hug \\- ${roff(program.description().replace(/^L/u, 'l').replace(/\.$/u, ''))}`,
    ],
    ['.SH SYNOPSIS', '.B nix\\-hug', roff('[options] <command> [arguments]')],
    [
      '.SH DESCRIPTION',
      roff('`hug.yaml` declares models and datasets.'),
      roff('`nix-hug lock` pins them to commits and digests in `hug.lock.json`,'),
      roff('from which Nix makes one derivation per model and one offline cache.'),
    ],
    [
      '.SH COMMANDS',
      ...commands.flatMap(({ usage, description, operands, options, examples }) => [
        `.SS ${quoted(usage)}`,
        `${roff(description)}.`,
        ...terms([...operands, ...options]),
        ...exampleLines(examples),
      ]),
    ],
    ['.SH OPTIONS', 'Before a command or after it:', ...terms(globalOptions)],
    ['.SH EXIT STATUS', ...pairs(EXIT_STATUSES)],
    ['.SH ENVIRONMENT', ...pairs(ENVIRONMENT.map(([names, text]) => [names.join(', '), text]))],
    ['.SH FILES', ...pairs(FILES)],
    [
      '.SH SEE ALSO',
      '.BR nix (1),',
      `${roff('https://github.com/nix-hug/nix-hug, where')} docs/errors.md lists the codes of errors`,
    ],
  ];
  return `${sections.flat().join('\n')}\n`;
}

const exampleLines = (examples: readonly (readonly [string, string])[]): string[] =>
  examples.length === 0
    ? []
    : ['.PP', 'Examples:', ...pairs(examples.map(([call, does]) => [call, does]))];

const terms = (list: readonly Term[]): string[] =>
  pairs(list.map(({ term, description }) => [term, `${description}.`]));

const pairs = (list: readonly (readonly [string, string])[]): string[] =>
  list.flatMap(([term, text]) => ['.TP', `.B ${quoted(term)}`, roff(text)]);

/** Text that roff prints as it is, on one line that is no request; code is bold. */
function roff(text: string): string {
  const escaped = escape(text).replaceAll(/`(?<code>[^`]*)`/gu, String.raw`\fB$<code>\fR`);
  return /^[.']/u.test(escaped) ? String.raw`\&${escaped}` : escaped;
}

/** An argument of a request. */
const quoted = (text: string): string => `"${escape(text).replaceAll('"', String.raw`\(dq`)}"`;

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': String.raw`\e`,
  '-': String.raw`\-`,
  "'": String.raw`\(aq`,
  '~': String.raw`\(ti`,
  '^': String.raw`\(ha`,
};

const escape = (text: string): string =>
  text
    .replaceAll(/[\\\-'~^]/gu, (character) => SPECIAL[character] ?? character)
    .replaceAll(/[^\u0000-\u007f]/gu, (character) => {
      const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0') ?? '';
      return `\\[u${code}]`;
    });
