import { EXIT, HugError } from '../errors.ts';
import {
  allEntries,
  isNeededKey,
  type NamedEntry,
  neededEntries,
  placeOf,
} from '../lock/entries.ts';
import { askedAs, createNeedIndex } from '../lock/needs.ts';
import type { Lock } from '../lock/schema.ts';
import { type ChainLink, shortestChains } from '../lock/why.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { shortRev } from '../output/text.ts';
import { branch } from '../output/tree.ts';
import type { CommandContext } from '../project/context.ts';
import { readLock } from '../project/project.ts';
import { escapeControls, quote } from '../quote.ts';
import { isSameId, parseRepoForm, type RepoForm } from '../repo.ts';

/** What the user asks about: all that the text can mean. */
interface Question {
  readonly text: string;
  /** The repository that the text is a form of. */
  readonly repo: RepoForm | undefined;
}

/**
 * `nix-hug why <repo|name|path>`: lists the chains from entries of the manifest to a repository, an
 * entry or a file, with the file that names each. Sends no request.
 *
 * @throws HugError those of `readLock`; `EHUG_REPO_INVALID` for an address that is no repository
 */
export async function run(context: CommandContext, text: string): Promise<CommandResult> {
  const lock = readLock(context, [text]);
  const endpoints = [lock.endpoint, context.endpoint].filter((one) => one !== undefined);
  const question = { text, repo: repoIn(text, endpoints) };
  const chains = shortestChains(lock, (named) => isMeant(named, question));
  const json: Output<'why'> = {
    chains: chains.map((chain) => chain.map(({ named, by }) => ({ entry: placeOf(named), by }))),
  };
  if (chains.length === 0) {
    return { text: nothingText(question, lock), json, exitStatus: EXIT.failed };
  }
  return {
    text: chains.map((chain) => chainText(chain, question)).join('\n'),
    json,
    exitStatus: EXIT.ok,
  };
}

/** An id, and a ref behind it: `org/name@main`. */
const WITH_REF = /^(?<form>[^@]+)@(?<ref>.+)$/su;

/**
 * The repository that a text names, in any form, perhaps with `@REF` behind it.
 *
 * @returns `undefined` for a text that is none, and so a name or a path
 * @throws HugError `EHUG_REPO_INVALID` for an address
 */
function repoIn(text: string, endpoints: readonly string[]): RepoForm | undefined {
  const { form = '', ref = '' } = WITH_REF.exec(text)?.groups ?? {};
  try {
    return parseRepoForm(text, ...endpoints);
  } catch (error) {
    if (!(error instanceof HugError) || text.includes('://')) throw error;
  }
  try {
    return form === '' ? undefined : { ref, ...parseRepoForm(form, ...endpoints) };
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    return undefined;
  }
}

/** Whether an entry is one of those that the user asks about. */
const isMeant = (named: NamedEntry, question: Question): boolean =>
  isNamed(named, question) || named.entry.files.has(question.text);

/** The same by its name, its place or its repository, rather than by a file that it has. */
function isNamed(named: NamedEntry, { text, repo }: Question): boolean {
  const { name, type, entry } = named;
  if (name === text || placeOf(named) === text) return true;
  if (repo === undefined) return false;
  const { file } = repo;
  return (
    [undefined, type].includes(repo.type) &&
    [entry.repo, entry.requested].some((id) => isSameId(id, repo.id)) &&
    [undefined, entry.ref, entry.rev].includes(repo.ref) &&
    (file === undefined || entry.files.has(file))
  );
}

/** A line for each entry of a chain, each below the one that needs it. */
function chainText(chain: readonly ChainLink[], question: Question): string {
  const lines = chain.map(({ named, by }, level) => {
    const { repo } = askedAs(named);
    if (by === null) return `${placeOf(named)} (${repo} at ${refOf(named)})`;
    const entry = isNeededKey(named.name) ? '' : ` (${placeOf(named)})`;
    return `${branch(level)}${escapeControls(by)} names ${repo} at ${refOf(named)}${entry}`;
  });
  const last = chain.at(-1);
  if (last !== undefined && !isNamed(last.named, question)) {
    lines.push(`${branch(chain.length)}has ${escapeControls(question.text)}`);
  }
  return lines.join('\n');
}

const refOf = ({ entry: { ref, rev } }: NamedEntry): string =>
  ref === rev ? shortRev(rev) : escapeControls(ref);

/** Why there is no chain. */
function nothingText(question: Question, lock: Lock): string {
  const { text, repo } = question;
  const needed = neededEntries(lock).filter((named) => isMeant(named, question));
  if (needed.length > 0) {
    const places = needed.map(placeOf).join(', ');
    return `no entry needs ${escapeControls(places)} any more; nix-hug lock removes it`;
  }
  const index = createNeedIndex(lock);
  const naming = allEntries(lock).flatMap((named) =>
    index
      .edges(named.entry)
      .filter(({ need, found }) => found.length === 0 && isSameId(need.repo, repo?.id ?? text))
      .map(
        ({ need }) =>
          `${branch(1)}${escapeControls(`${need.by} of ${placeOf(named)} names ${need.repo} at ${need.ref}`)}`,
      ),
  );
  // An address may have a token behind it.
  const shown = text.includes('://') ? (repo?.id ?? '') : text;
  const nothing = `the lock has no entry, repository or file ${quote(shown)}`;
  return [nothing, ...naming].join('\n');
}
