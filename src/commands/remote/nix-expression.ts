import { nixString } from '../../nix-string.ts';
import { DEFAULT_ENDPOINT, type RepoType } from '../../repo.ts';
import type { Filters } from '../../resolve/filters.ts';

/** A model or dataset that one call of the Nix library pins. */
export interface Pinned {
  readonly type: RepoType;
  /** Repository id. */
  readonly repo: string;
  /** Commit, 40 hex digits. */
  readonly rev: string;
  readonly filters: Filters | undefined;
  /** SHA-256 of the Hub's answer about the tree, in SRI form. */
  readonly fileTreeHash: string;
  /** Address of the Hub that was asked. */
  readonly endpoint: string;
}

const FUNCTIONS: Readonly<Record<RepoType, string>> = {
  model: 'fetchModel',
  dataset: 'fetchDataset',
};
const WIDTH = 100;

/** The call of `fetchModel` or `fetchDataset`, ready to paste. */
export function nixExpression({
  type,
  repo,
  rev,
  filters,
  fileTreeHash,
  endpoint,
}: Pinned): string {
  return [
    ...(endpoint === DEFAULT_ENDPOINT
      ? []
      : [`# nix-hug-lib imported with endpoint = ${nixString(endpoint)}`]),
    `nix-hug-lib.${FUNCTIONS[type]} {`,
    `  url = ${nixString(repo)};`,
    `  rev = ${nixString(rev)};`,
    ...(filters === undefined ? [] : [`  filters = ${nixFilters(filters)};`]),
    `  fileTreeHash = ${nixString(fileTreeHash)};`,
    '}',
  ].join('\n');
}

/** On one line where it fits, else one line for each string. */
function nixFilters(filters: Filters): string {
  const lists = Object.entries(filters).map(
    ([key, values]) => [key, values.map(nixString)] as const,
  );
  const line = `{ ${lists.map(([key, values]) => `${key} = [ ${values.join(' ')} ];`).join(' ')} }`;
  if (line.length <= WIDTH) return line;
  const blocks = lists.map(
    ([key, values]) =>
      `    ${key} = [\n${values.map((value) => `      ${value}\n`).join('')}    ];\n`,
  );
  return `{\n${blocks.join('')}  }`;
}
