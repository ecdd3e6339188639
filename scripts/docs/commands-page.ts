import { getTitle } from 'valibot';
import { OUTPUT_SCHEMAS } from '../../src/output/json-schema.ts';
import { commands, globalOptions, type Term } from './command-table.ts';
import { GENERATED, tableOf } from './markdown.ts';
import { ENVIRONMENT, EXIT_STATUSES } from './reference.ts';

/** `docs/commands.md`, from the command table. */
export function commandsPage(): string {
  const sections = commands.flatMap(({ name, usage, description, operands, options }) => [
    `## \`${name}\``,
    sentence(description),
    ['```console', `$ ${usage}`, '```'].join('\n'),
    ...terms('Argument', operands),
    ...terms('Option', options),
    ...schemas(name),
  ]);
  return `${[
    '# Commands',
    GENERATED,
    `Results go to stdout, progress and messages to stderr. With \`--json\`, stdout holds one JSON document: the result, or \`{ "error": { "code", "message", "hint" } }\`, whose [codes](errors.md) are stable. [Schemas](../schemas/output) describe them.`,
    ...sections,
    '## Options of every command',
    'They may stand before the command or after it.',
    ...terms('Option', globalOptions),
    '## Exit status',
    tableOf(['Status', 'Meaning'], EXIT_STATUSES),
    '## Environment',
    'What is true is `1`, `on`, `yes` or `true`, in any case.',
    tableOf(
      ['Variable', 'Meaning'],
      ENVIRONMENT.map(([names, meaning]) => [
        names.map((each) => `\`${each}\``).join(', '),
        meaning,
      ]),
    ),
  ].join('\n\n')}\n`;
}

/** Schemas of a command, by the calls that their titles name: `nix-hug fetch|import [name…] --json`. */
function schemas(command: string): string[] {
  const links = Object.entries(OUTPUT_SCHEMAS).flatMap(([name, schema]) => {
    const call = /^nix-hug (\S+)(.*) --json$/u.exec(getTitle(schema) ?? '');
    if (call?.[1]?.split('|').includes(command) !== true) return [];
    return `[\`${command}${call[2]}\`](../schemas/output/${name}.schema.json)`;
  });
  return links.length === 0 ? [] : [`JSON: ${links.join(', ')}.`];
}

function terms(head: string, rows: readonly Term[]): string[] {
  if (rows.length === 0) return [];
  const cells = rows.map(({ term, description }) => [`\`${term}\``, sentence(description)]);
  return [tableOf([head, 'Meaning'], cells)];
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
