import { HugError } from './errors.ts';

export type RepoType = 'model' | 'dataset';

/** What a repository form says. */
export interface RepoForm {
  /** Absent when the form fits both types (`org/name`). */
  readonly type?: RepoType;
  /** `org/name`, or a single canonical name such as `gpt2`. */
  readonly id: string;
  /** Revision named by a `/tree/`, `/blob/` or `/resolve/` address. */
  readonly ref?: string;
  /** File named by a `/blob/` or `/resolve/` address. */
  readonly file?: string;
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

const PART = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/u;
const LONGEST_PART = 96;
const HUB_HOSTS = new Set(['huggingface.co', 'hf.co']);
const TYPE_PREFIXES: ReadonlyMap<string, RepoType> = new Map([
  ['models', 'model'],
  ['datasets', 'dataset'],
]);
const VERBS = new Set(['tree', 'blob', 'resolve']);
const SCHEMES: ReadonlyMap<string, RepoType> = new Map([
  ['hf:', 'model'],
  ['hf-datasets:', 'dataset'],
]);

/**
 * Whether the text is a repository id by the rules of the official client
 * (`validate_repo_id` of huggingface_hub 2): one or two parts of letters, digits, `_`, `-`, `.`,
 * each beginning and ending with a word character, without `--`, `..` or a final `.git`.
 */
export function isRepoId(text: string): boolean {
  const parts = text.split('/');
  return (
    parts.length <= 2 &&
    parts.every((part) => part.length <= LONGEST_PART && PART.test(part)) &&
    !text.includes('--') &&
    !text.includes('..') &&
    !text.endsWith('.git')
  );
}

/**
 * Reads any repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
 * `datasets/org/name`, a canonical `gpt2`, or an address on the Hub.
 *
 * @param form what the user wrote
 * @param endpoint address whose host counts as the Hub beside huggingface.co and hf.co
 * @throws HugError `EHUG_REPO_INVALID`
 */
export function parseRepoForm(form: string, endpoint: string = DEFAULT_ENDPOINT): RepoForm {
  if (/^https?:\/\//iu.test(form)) return parseAddress(form, endpoint);
  for (const [scheme, type] of SCHEMES) {
    if (form.startsWith(scheme)) return { type, id: checkedId(form.slice(scheme.length), form) };
  }
  const { type, rest } = splitType(form.split('/'));
  const id = checkedId(rest.join('/'), form);
  return type === undefined ? { id } : { type, id };
}

/** Address of a repository's page, where a person asks for access. */
export function repoPage(endpoint: string, type: RepoType, id: string): string {
  return `${endpoint}/${type === 'dataset' ? 'datasets/' : ''}${id}`;
}

/** Percent-encodes a repository path the way the Hub expects it: UTF-8 bytes, `/` kept. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/** Percent-encodes one segment; only `A-Za-z0-9_.-~` stay (RFC 3986, unreserved characters). */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function parseAddress(form: string, endpoint: string): RepoForm {
  const url = URL.canParse(form) ? new URL(form) : undefined;
  if (url === undefined || !isHub(url, endpoint)) throw invalid(form);
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const { type = 'model', rest } = splitType(segments.map((segment) => decode(segment, form)));
  const verbAt = rest.length < 3 ? -1 : ([2, 1].find((at) => VERBS.has(rest[at] ?? '')) ?? -1);
  if (verbAt === -1) return { type, id: checkedId(rest.join('/'), form) };
  const id = checkedId(rest.slice(0, verbAt).join('/'), form);
  const { ref, path } = splitRef(rest.slice(verbAt + 1));
  const namesFile = rest[verbAt] !== 'tree';
  if (ref === '' || namesFile !== (path !== '')) throw invalid(form);
  return namesFile ? { type, id, ref, file: path } : { type, id, ref };
}

function isHub(url: URL, endpoint: string): boolean {
  if (url.protocol === 'https:' && HUB_HOSTS.has(url.host)) return true;
  return URL.canParse(endpoint) && new URL(endpoint).host === url.host;
}

/** Takes a leading `models/` or `datasets/` off. */
function splitType(segments: readonly string[]): { type?: RepoType; rest: readonly string[] } {
  const type = segments.length > 1 ? TYPE_PREFIXES.get(segments[0] ?? '') : undefined;
  return type === undefined ? { rest: segments } : { type, rest: segments.slice(1) };
}

/** The first segment, or `refs/pr/N` and the like when the slashes were not encoded. */
function splitRef(segments: readonly string[]): { ref: string; path: string } {
  const length = segments[0] === 'refs' ? 3 : 1;
  return { ref: segments.slice(0, length).join('/'), path: segments.slice(length).join('/') };
}

function checkedId(id: string, form: string): string {
  if (!isRepoId(id)) throw invalid(form);
  return id;
}

function decode(segment: string, form: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw invalid(form, cause);
  }
}

function invalid(form: string, cause?: unknown): HugError {
  return new HugError('EHUG_REPO_INVALID', `${JSON.stringify(form)} is not a repository`, {
    hint: 'Write org/name, hf:org/name, hf-datasets:org/name, or an address on the Hub.',
    cause,
  });
}
