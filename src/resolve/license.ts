import { asPlainObject } from '../plain-object.ts';
import { readSource } from '../manifest/source.ts';
import { badTextReason } from '../safe-path.ts';

/** The licence that a README declares, as the lock has it; empty for none. */
export interface License {
  /** Ids of the Hub such as `apache-2.0`, in the order of the README. */
  readonly license?: readonly string[];
  /** Name of a licence that has no id there. */
  readonly licenseName?: string;
}

/** What was read of a README, and why it may be less than the README declares. */
export interface ReadLicense extends License {
  readonly warning?: string;
}

/** Longest id or name, in UTF-16 code units. */
const MAX_LENGTH = 128;

const OPENING = /^\s*---\r?\n/u;
const CLOSING = /(?:^|\n)---\r?(?:\n|$)/u;

/**
 * Reads `license` and `license_name` from the front matter of a README. Strangers write that text, so
 * no text makes it throw.
 *
 * @param text content of README.md
 */
export function licenseOf(text: string): ReadLicense {
  const data = readFrontMatter(text);
  if (data === undefined) {
    return {
      warning: 'the front matter of README.md is not valid YAML, so no licence is recorded',
    };
  }
  const { license = [], license_name: name } = data;
  const values: readonly unknown[] = Array.isArray(license) ? license : [license ?? []].flat();
  const words = values.map(asWord);
  const ids = [...new Set(words.filter((word) => word !== undefined))];
  if (ids.length < new Set(values).size) {
    return { warning: 'README.md declares a licence that is not a short text; none is recorded' };
  }
  if (ids.length === 0) return {};
  const licenseName = ids.some((id) => id.toLowerCase() === 'other') ? asWord(name) : undefined;
  return { license: ids, ...(licenseName === undefined ? {} : { licenseName }) };
}

/**
 * The front matter of a README as data. No text makes it throw.
 *
 * @returns an empty object when there is none, or it is not a map; `undefined` when it is not valid YAML
 */
export function readFrontMatter(text: string): Readonly<Record<string, unknown>> | undefined {
  const block = frontMatterOf(text);
  if (block === undefined) return {};
  const { data, faultsWith } = readSource(block);
  return faultsWith([]).length > 0 ? undefined : asPlainObject(data);
}

/** The text between the two lines `---`, as huggingface_hub finds it. */
function frontMatterOf(text: string): string | undefined {
  const opening = OPENING.exec(text);
  if (opening === null) return undefined;
  const rest = text.slice(opening[0].length);
  const closing = CLOSING.exec(rest);
  return closing === null ? undefined : rest.slice(0, closing.index);
}

/** A text that the lock can hold; `undefined` for anything else. */
function asWord(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const word = value.trim();
  const isWord = word !== '' && word.length <= MAX_LENGTH && badTextReason(word) === undefined;
  return isWord ? word : undefined;
}
