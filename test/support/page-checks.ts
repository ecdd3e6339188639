import path from 'node:path';
import type { Term } from '../../scripts/docs/command-table.ts';
import { codeBlocks } from './page.ts';

/** A page of the repository. */
export interface Page {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly content: string;
}

/** The commands and options that pages may name. */
export interface CommandTable {
  readonly commands: readonly { readonly name: string; readonly options: readonly Named[] }[];
  readonly globalOptions: readonly Named[];
}

/** An option as its help writes it: `-C, --cwd <dir>`. */
type Named = Pick<Term, 'term'>;

/** A page without its blocks of code, in which `#` and brackets mean something else. */
const proseOf = (content: string): string => content.replaceAll(/^ *```[^]*?^ *```$/gmu, '');

/** The names by which GitHub reaches the headings of a page. */
export function anchorsOf(content: string): Set<string> {
  const anchors = new Set<string>();
  for (const { groups } of proseOf(content).matchAll(/^#+ (?<title>.+)$/gmu)) {
    const title = (groups?.['title'] ?? '').replaceAll(/\]\([^)]*\)/gu, '');
    const slug = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const taken = (count: number): string => (count === 0 ? slug : `${slug}-${count}`);
    let count = 0;
    while (anchors.has(taken(count))) count += 1;
    anchors.add(taken(count));
  }
  return anchors;
}

/** The links of a page to places in the repository, as they are written. */
const linksOf = ({ content }: Page): string[] =>
  [...proseOf(content).matchAll(/\]\((?<target>[^)\s]+)\)/gu)]
    .map(({ groups }) => groups?.['target'] ?? '')
    .filter((target) => !/^[a-z]+:/u.test(target));

/**
 * Links that lead to no file, or to no heading of a page.
 *
 * @param exists whether a path from the root of the repository exists
 */
export function brokenLinks(pages: readonly Page[], exists: (file: string) => boolean): string[] {
  const known = new Map(pages.map(({ file, content }) => [file, anchorsOf(content)]));
  return pages.flatMap((page) =>
    linksOf(page)
      .filter((link) => {
        const [target = '', anchor] = link.split('#');
        const file = target === '' ? page.file : path.join(path.dirname(page.file), target);
        if (!exists(file)) return true;
        return anchor !== undefined && known.get(file)?.has(anchor) !== true;
      })
      .map((link) => `${page.file}: ${link}`),
  );
}

/** Pages that no chain of links from the first one reaches. */
export function unreachedPages(pages: readonly Page[]): string[] {
  const [first] = pages;
  const reached = new Set<string>();
  const next = first === undefined ? [] : [first];
  for (let page = next.pop(); page !== undefined; page = next.pop()) {
    reached.add(page.file);
    const { file } = page;
    const targets = new Set(
      linksOf(page).map((link) => path.join(path.dirname(file), link.split('#', 1)[0] ?? '')),
    );
    next.push(...pages.filter((each) => targets.has(each.file) && !reached.has(each.file)));
  }
  return pages.map(({ file }) => file).filter((file) => !reached.has(file));
}

/** The calls of nix-hug in spans and blocks of code, without `nix-hug` itself. */
export function callsOf({ content }: Page): string[] {
  const blocks = codeBlocks(content).filter(({ language }) => ['console', 'sh'].includes(language));
  const lines = blocks.flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'));
  const spans = [...proseOf(content).matchAll(/`(?<span>[^`\n]+)`/gu)].map(
    ({ groups }) => groups?.['span'] ?? '',
  );
  return [...lines, ...spans].flatMap((text) => {
    const call = /^(?:\s*\$ )?(?:\w+=\S+ |eval "\$\()*nix-hug (?<call>[^#|&;)]+)/u.exec(text);
    const run = /\bnix run github:\S+ -- (?<call>[^#|&;)]+)/u.exec(text);
    return [call, run].flatMap((match) => match?.groups?.['call'] ?? []);
  });
}

/** The long and short names of options. */
const namesOf = (options: readonly Named[]): string[] =>
  options.flatMap(({ term }) => term.match(/--?[a-z][a-z-]*/giu) ?? []);

/** Calls in pages of commands that do not exist, or with options that the command does not have. */
export function unknownCalls(pages: readonly Page[], table: CommandTable): string[] {
  const shared = new Set(namesOf(table.globalOptions));
  return pages.flatMap((page) =>
    callsOf(page)
      .filter((call) => {
        const words = (call.split(' -- ', 1)[0] ?? '').trim().split(/\s+/u);
        const name = words.find((word) => /^[a-z]/u.test(word));
        const command = table.commands.find((each) => each.name === name);
        if (name !== undefined && command === undefined) return true;
        const own = new Set(namesOf(command?.options ?? []));
        return words
          .map((word) => word.replace(/^\[/u, '').split(/[=\]]/u, 1)[0] ?? '')
          .some((word) => /^--?[a-z]/iu.test(word) && !own.has(word) && !shared.has(word));
      })
      .map((call) => `${page.file}: nix-hug ${call}`),
  );
}

/** Commands and options that no page has. */
export function unmentioned(pages: readonly Page[], table: CommandTable): string[] {
  const text = pages.map(({ content }) => content).join('\n');
  const isNamed = (name: string) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`, 'u').test(text);
  const commands = table.commands.filter(({ name }) => !isNamed(`nix-hug ${name}`));
  const options = table.commands.flatMap(({ name, options: own }) =>
    namesOf(own)
      .filter((option) => !isNamed(option))
      .map((option) => `${name} ${option}`),
  );
  const shared = namesOf(table.globalOptions).filter((option) => !isNamed(option));
  return [...commands.map(({ name }) => name), ...options, ...shared];
}
