import { HugError } from './errors.ts';
import { quote } from './quote.ts';
import { type Flaw, PATH_FLAWS, reasonOf, unsafeReason } from './safe-path.ts';

/** What a repository holds. */
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

/** The branch that every repository of the Hub begins with. */
export const DEFAULT_REF = 'main';

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** One part of an id: at most 96 characters. */
const PART = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';
const ID = String.raw`(?!.*(?:--|\.\.|\.git$))(?:${PART}/)?${PART}`;
const WHOLE_ID = new RegExp(`^${ID}$`, 'u');
/** Scheme of an address, in upper or lower case. */
const WEB = '[Hh][Tt][Tt][Pp][Ss]?://';
/** An address: host (with port, if any) and path; a query or a fragment does not matter. */
const ADDRESS = new RegExp(`^${WEB}([^/?#]*)([^?#]*)`, 'u');
/**
 * The address of a Hub: http or https, a host with a port, if any, and a path of the characters of
 * RFC 3986 (`pchar`). So it has no credentials, query, fragment or white space. `nix/valid.nix` has
 * the same pattern, and `test/fixtures/endpoints.json` holds both to it.
 */
export const ENDPOINT =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?$/u;
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

/** What no branch, tag or commit may have, as far as a pattern can tell. */
export const REF_FLAWS: readonly Flaw[] = [
  // "[" in a class begins another one where editors read patterns as Java does.
  { pattern: /[ ~^:?*]|\[/u, reason: 'has a character that no branch, tag or commit has' },
  ...PATH_FLAWS,
  {
    pattern: /\.\.|@\{|^@$|\.$|(?:^|\/)\.|\.lock(?:$|\/)/u,
    reason: 'is not a name that git allows',
  },
  {
    pattern: /^(?=[0-9a-f]*[A-F])[0-9A-Fa-f]{40}$/u,
    reason: 'is a commit, and those are written in lower case',
  },
];

/**
 * Whether the text is a repository id by the rules of the official client
 * (`validate_repo_id` of huggingface_hub 2): one or two parts of letters, digits, `_`, `-`, `.`,
 * each beginning and ending with a word character, without `--`, `..` or a final `.git`.
 */
export function isRepoId(text: string): boolean {
  return WHOLE_ID.test(text);
}

/**
 * Reads any repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
 * `datasets/org/name`, a canonical `gpt2`, or an address on the Hub.
 *
 * @param form what the user wrote
 * @param endpoints addresses that count as the Hub beside huggingface.co and hf.co; one that has a
 *   path of its own (`https://host/hub`) is taken off as a whole
 * @throws HugError `EHUG_REPO_INVALID`
 */
export function parseRepoForm(form: string, ...endpoints: readonly string[]): RepoForm {
  const address = splitAddress(form);
  if (address !== undefined) return parsePath(pathOnHub(address, endpoints), address.text);
  for (const [scheme, type] of SCHEMES) {
    if (form.startsWith(scheme)) return { type, id: checkedId(form.slice(scheme.length), form) };
  }
  const { type, rest } = splitType(form.split('/'));
  const id = checkedId(rest.join('/'), form);
  return type === undefined ? { id } : { type, id };
}

/**
 * Pattern of the forms that may name a repository of a type, for the schema for editors. It takes
 * each one that `parseRepoForm` takes, and more addresses: the endpoint, which the environment may
 * set, decides which host is a Hub, and what stands there before an id.
 */
export function repoPattern(type: RepoType): string {
  const sections = [...TYPE_PREFIXES].map(([section, holds]) => [`${section}/`, holds] as const);
  const own = [...SCHEMES, ...sections].filter(([, holds]) => holds === type);
  const others = sections.filter(([, holds]) => holds !== type);
  // An address without a section names a model. The section may be percent-encoded.
  const inSection = type === 'model' ? '' : `(?=(?:[^?#]*/)?${type}s/|[^?#]*%)`;
  const address = `${WEB}[^/?#@]+/${inSection}/*[^/?#]`;
  return `^(?:${address}|(?!${alternatives(others)})(?:${alternatives(own)})?${ID}$)`;
}

const alternatives = (prefixes: readonly (readonly [string, RepoType])[]): string =>
  prefixes.map(([prefix]) => prefix).join('|');

/**
 * Why a text cannot be a branch, tag or commit, or `undefined` when it can: git's own rules
 * (`git help check-ref-format`), and those of a path, since the cache keeps a file per ref.
 */
export function badRefReason(ref: string): string | undefined {
  return reasonOf(REF_FLAWS, ref) ?? unsafeReason(ref);
}

/**
 * Why a text cannot be the address of a Hub, or `undefined` when it can. The text is never echoed,
 * since it may hold a password.
 */
export function badEndpointReason(endpoint: string): string | undefined {
  if (!/^https?:\/\//u.test(endpoint)) return 'must begin with "https://" or "http://"';
  if (/^[^/]*\/\/[^/?#]*@/u.test(endpoint)) return 'must not hold a user name or password';
  if (/[?#]/u.test(endpoint)) return 'must not have a query or a fragment';
  // A pattern cannot say which numbers are addresses and ports.
  return ENDPOINT.test(endpoint) && URL.canParse(endpoint) ? undefined : 'is not an address';
}

/** Address of a repository's page, where a person asks for access. */
export function repoPage(endpoint: string, type: RepoType, id: string): string {
  return `${endpoint}/${type === 'dataset' ? 'datasets/' : ''}${id}`;
}

/** A path that needs no encoding, as nearly all. */
const UNRESERVED = /^[A-Za-z0-9_.~/-]*$/u;

/** Percent-encodes a repository path the way the Hub expects it: UTF-8 bytes, `/` kept. */
export function encodePath(path: string): string {
  if (UNRESERVED.test(path)) return path;
  return path.split('/').map(encodeSegment).join('/');
}

/** Percent-encodes one segment; only `A-Za-z0-9_.-~` stay (RFC 3986, unreserved characters). */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** An address without its query and fragment, which may hold a token. */
interface Address {
  readonly text: string;
  /** Host, and port if any, in lower case. */
  readonly host: string;
  readonly path: string;
}

function splitAddress(form: string): Address | undefined {
  const [text, host, path = ''] = ADDRESS.exec(form) ?? [];
  return text === undefined || host === undefined
    ? undefined
    : { text, host: host.toLowerCase(), path };
}

/** The path below the Hub that the address is on. */
function pathOnHub({ text, host, path }: Address, endpoints: readonly string[]): string {
  if (host.includes('@')) throw invalid('an address with a user name or password');
  const hub = endpoints.map(splitAddress).find((endpoint) => endpoint?.host === host);
  if (hub === undefined && !HUB_HOSTS.has(host)) {
    throw invalid(quote(text), `${quote(host)} is not the Hub`);
  }
  const base = hub?.path.replace(/\/*$/u, '/') ?? '/';
  return path.startsWith(base) ? path.slice(base.length) : path;
}

function parsePath(path: string, form: string): RepoForm {
  const segments = path.split('/').filter((segment) => segment !== '');
  const { type = 'model', rest } = splitType(segments.map((segment) => decode(segment, form)));
  const verbAt = rest.length < 3 ? -1 : ([2, 1].find((at) => VERBS.has(rest[at] ?? '')) ?? -1);
  if (verbAt === -1) return { type, id: checkedId(rest.join('/'), form) };
  const id = checkedId(rest.slice(0, verbAt).join('/'), form);
  const { ref, path: file } = splitRef(rest.slice(verbAt + 1));
  const badRef = badRefReason(ref);
  if (badRef !== undefined) throw invalid(quote(form), `its revision ${badRef}`);
  if (rest[verbAt] === 'tree') {
    if (file !== '') throw invalid(quote(form), `it names a folder; select ${quote(`${file}/`)}`);
    return { type, id, ref };
  }
  const badFile = unsafeReason(file);
  if (badFile !== undefined) throw invalid(quote(form), `its file ${badFile}`);
  return { type, id, ref, file };
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
  if (!isRepoId(id)) throw invalid(quote(form), 'write org/name or its address on the Hub');
  return id;
}

function decode(segment: string, form: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw invalid(quote(form), 'its percent-encoding is broken', cause);
  }
}

function invalid(what: string, reason?: string, cause?: unknown): HugError {
  const because = reason === undefined ? '' : `: ${reason}`;
  return new HugError('EHUG_REPO_INVALID', `${what} is not a repository${because}`, {
    hint: 'Write org/name, hf:org/name, hf-datasets:org/name, or an address on the Hub.',
    cause,
  });
}
