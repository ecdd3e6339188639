import { ENTRY_NAME } from './schema.ts';

/**
 * A name for an entry, made from a repository id: the last part in lower case, with `-` for `.`,
 * and a leading `_` where it would not be a name otherwise. `Mistral-7B-Instruct-v0.3` of any
 * organisation gives `mistral-7b-instruct-v0-3`.
 */
export function nameFor(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1);
  const name = last.toLowerCase().replaceAll('.', '-');
  return ENTRY_NAME.test(name) ? name : `_${name}`;
}
