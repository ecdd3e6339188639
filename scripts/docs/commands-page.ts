import { getTitle } from 'valibot';
import { OUTPUT_SCHEMAS } from '../../src/output/json-schema.ts';
import { groupBy } from '../../src/collections.ts';
import { commands, globalOptions, type Term } from './command-table.ts';
import { GENERATED, tableOf } from './markdown.ts';
import { ENVIRONMENT, EXIT_STATUSES } from './reference.ts';

/** `docs/commands.md`, from the command table. */
export function commandsPage(): string {
  const sections = commands.flatMap(({ name, usage, description, operands, options, examples }) => [
    `## \`${name}\``,
    sentence(description),
    `Usage: \`${usage}\``,
    ...exampleBlocks(examples),
    ...terms('Argument', operands),
    ...terms('Option', options),
    ...schemas(name),
  ]);
  return `${[
    '# Commands',
    GENERATED,
    `Results go to stdout, progress and messages to stderr. With \`--json\`, stdout holds one JSON document: the result, or \`{ "error": { "code", "message", "hint" } }\`, whose [codes](errors.md) are stable. [Schemas](../schemas/output) describe them.`,
    contents(),
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

/** Calls with what each does, in columns. */
function exampleBlocks(examples: readonly (readonly [string, string])[]): string[] {
  if (examples.length === 0) return [];
  const width = Math.max(...examples.map(([call]) => call.length));
  const lines = examples.map(([call, does]) => `$ ${call.padEnd(width)}  # ${does}`);
  return [['```console', ...lines, '```'].join('\n')];
}

/** The commands by what they are for, each a link to its section. */
function contents(): string {
  const groups = groupBy(commands, ({ group }) => group);
  return [...groups]
    .map(
      ([group, members]) =>
        `- ${group}: ${members.map(({ name }) => `[\`${name}\`](#${name})`).join(', ')}`,
    )
    .join('\n');
}

function terms(head: string, rows: readonly Term[]): string[] {
  if (rows.length === 0) return [];
  const cells = rows.map(({ term, description }) => [`\`${term}\``, sentence(description)]);
  return [tableOf([head, 'Meaning'], cells)];
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
