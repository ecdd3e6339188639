import { HugError } from './errors.ts';
import { quote } from './quote.ts';
import { QUANT } from './selection.ts';
import { type Flaw, PATH_FLAWS, reasonOf, TEXT_FLAWS, unsafeReason } from './safe-path.ts';

/** Kind of a repository that a lock can have. */
export type RepoType = 'model' | 'dataset';

/** A parsed repository form. */
export interface RepoForm {
  /** Absent when the form fits both types (`org/name`). */
  readonly type?: RepoType;
  /** `org/name`, or a single canonical name such as `gpt2`. */
  readonly id: string;
  /** Revision named by an address (`/tree/`, `/blob/`, `/commit/`, …) or behind `@` of `hf://`. */
  readonly ref?: string;
  /** File named by an address (`/blob/`, `/resolve/`, `/raw/`) or by `hf://`. */
  readonly file?: string;
  /** Quant of a GGUF repository (`org/name:Q4_K_M`). */
  readonly quant?: string;
}

/** The first branch of every repository on the Hub. */
export const DEFAULT_REF = 'main';

/** One part of an id, at most 96 characters. */
const PART = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';
/** What no id has; a quant may follow the id. */
const NOT_IN_ID = String.raw`(?![^:]*(?:--|\.\.|\.git(?:$|:)))`;
const ID = String.raw`${NOT_IN_ID}(?:${PART}/)?${PART}`;
const WHOLE_ID = new RegExp(`^${ID}$`, 'u');
/** Scheme of an address. */
const WEB = '[Hh][Tt][Tt][Pp][Ss]?://';
/** An address: scheme, host (with a port) and path, without query and fragment. */
const ADDRESS = new RegExp(`^(${WEB})?([^/?#]*)([^?#]*)`, 'u');
/** A host that an address without a scheme may begin with: one word may be an organisation. */
const PLAIN_HOST = String.raw`[A-Za-z0-9_-]+(?:(?:\.[A-Za-z0-9_-]+)+(?::[0-9]+)?|:[0-9]+)`;
const IS_PLAIN_HOST = new RegExp(`^${PLAIN_HOST}$`, 'u');
const HUB_HOSTS = new Set(['huggingface.co', 'hf.co']);
const TYPE_PREFIXES: ReadonlyMap<string, RepoType> = new Map([
  ['models', 'model'],
  ['datasets', 'dataset'],
]);
/** Pages of the Hub at a revision, and those of a file. */
const REVISION_PAGES = new Set(['tree', 'commit', 'commits']);
const FILE_PAGES = new Set(['blob', 'resolve', 'raw']);
const FILE_SYSTEM = 'hf://';
/** `org/name:QUANT`, as llama.cpp takes it; ollama writes `hf.co/` before it. */
const WITH_QUANT = new RegExp(`^(${NOT_IN_ID}${PART}/${PART}):(.*)$`, 'su');
const SCHEMES: ReadonlyMap<string, RepoType> = new Map([
  ['hf:', 'model'],
  ['hf-datasets:', 'dataset'],
]);

/** Patterns that no branch, tag or commit matches. */
export const REF_FLAWS: readonly Flaw[] = [
  // "[" stands outside the class, since editors that read patterns as Java does nest classes.
  { pattern: /[ ~^:?*]|\[/u, reason: 'has a character that no branch, tag or commit has' },
  ...TEXT_FLAWS,
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

/** Whether two ids are of one repository: the Hub redirects an id in another case. */
export const isSameId = (one: string | undefined, other: string): boolean =>
  one?.toLowerCase() === other.toLowerCase();

/**
 * Parses any repository form: `org/name`, `hf:org/name`, `hf-datasets:org/name`, `models/org/name`,
 * `datasets/org/name`, `org/name:QUANT`, a canonical `gpt2`, `hf://org/name@rev/file`, or an address on the Hub, with or
 * without its scheme.
 *
 * @param form text of the user
 * @param endpoints addresses of further Hubs, beside huggingface.co and hf.co; the path of one
 *   (`https://host/hub`) is not part of the id
 * @throws HugError `EHUG_REPO_INVALID`
 */
export function parseRepoForm(form: string, ...endpoints: readonly string[]): RepoForm {
  if (/^(?:git[+@:]|ssh:)/u.test(form)) throw unsupported('addresses of git are');
  if (form.startsWith(FILE_SYSTEM)) return parseFilePath(form.slice(FILE_SYSTEM.length), form);
  const hubs = endpoints.map(splitAddress);
  const address = splitAddress(form);
  if (address.hasScheme || isHubWithoutScheme(address, hubs)) {
    return parsePath(pathOnHub(address, hubs), address.text);
  }
  for (const [scheme, type] of SCHEMES) {
    if (form.startsWith(scheme)) return withQuant(type, form.slice(scheme.length), form);
  }
  const { type, rest } = splitType(form.split('/'));
  return withQuant(type, rest.join('/'), form);
}

/** An id, with a quant behind it or without. */
function withQuant(type: RepoType | undefined, text: string, form: string): RepoForm {
  const [, id, quant] = WITH_QUANT.exec(text) ?? [];
  if (id === undefined || quant === undefined) {
    return { ...(type === undefined ? {} : { type }), id: checkedId(text, form) };
  }
  if (type === 'dataset') throw invalid(quote(form), 'only a model has a quant');
  if (!QUANT.test(quant)) {
    throw invalid(quote(form), 'a quant has letters, digits, "_" and "-", such as Q4_K_M');
  }
  return { type: 'model', id: checkedId(id, form), quant };
}

/**
 * Pattern of the forms of a repository of one type, for the JSON Schema that editors read. It accepts
 * all forms that `parseRepoForm` accepts, and more addresses: which host is a Hub, and the path before
 * an id, depend on the endpoint, which the environment may set.
 */
export function repoPattern(type: RepoType): string {
  const sections = [...TYPE_PREFIXES].map(([section, holds]) => [`${section}/`, holds] as const);
  const own = [...SCHEMES, ...sections].filter(([, holds]) => holds === type);
  const others = sections.filter(([, holds]) => holds !== type);
  // An address without a section is a model's. The section may be percent-encoded.
  const inSection = type === 'model' ? '' : `(?=(?:[^?#]*/)?${type}s/|[^?#]*%)`;
  const address = `(?:${WEB}[^/?#@]+|${PLAIN_HOST})/${inSection}/*[^/?#]`;
  const foreign = `${alternatives(others)}|spaces/`;
  const inFileSystem = type === 'model' ? `(?!/|${foreign})` : `${type}s/`;
  const quantified = `${NOT_IN_ID}${PART}/${PART}:[A-Za-z0-9_-]{1,32}$`;
  const ids = type === 'model' ? `${ID}$|${quantified}` : `${ID}$`;
  const file = `${FILE_SYSTEM}/*${inFileSystem}[^/]`;
  return `^(?:${file}|${address}|(?!${foreign})(?:${alternatives(own)})?(?:${ids}))`;
}

const alternatives = (prefixes: readonly (readonly [string, RepoType])[]): string =>
  prefixes.map(([prefix]) => prefix).join('|');

/**
 * Why a text is not a valid branch, tag or commit; `undefined` when it is valid. The rules are those
 * of git (`git help check-ref-format`), and of a path, since the cache has a file per ref.
 */
export function badRefReason(ref: string): string | undefined {
  return reasonOf(REF_FLAWS, ref) ?? unsafeReason(ref);
}

/** An address without query and fragment, which may hold a token. */
interface Address {
  readonly text: string;
  readonly hasScheme: boolean;
  /** In lower case, with the port if there is one. */
  readonly host: string;
  readonly path: string;
}

function splitAddress(form: string): Address {
  const [text = '', scheme, host = '', path = ''] = ADDRESS.exec(form) ?? [];
  return { text, hasScheme: scheme !== undefined, host: host.toLowerCase(), path };
}

const isHubWithoutScheme = ({ host, path }: Address, hubs: readonly Address[]): boolean =>
  path !== '' &&
  IS_PLAIN_HOST.test(host) &&
  (HUB_HOSTS.has(host) || hubs.some((hub) => hub.host === host));

/** The path of an address below its Hub. */
function pathOnHub({ text, host, path }: Address, hubs: readonly Address[]): string {
  if (host.includes('@')) throw invalid('an address with a user name or password');
  const hub = hubs.find((each) => each.host === host);
  if (hub === undefined && !HUB_HOSTS.has(host)) {
    throw invalid(quote(text), `${quote(host)} is not the Hub`);
  }
  const base = hub?.path.replace(/\/*$/u, '/') ?? '/';
  return path.startsWith(base) ? path.slice(base.length) : path;
}

function parsePath(path: string, form: string): RepoForm {
  const segments = segmentsOf(path).map((segment) => decode(segment, form));
  const { type = 'model', rest } = splitType(segments);
  const isViewer = (page: string) => type === 'dataset' && page === 'viewer';
  const isPage = (page: string) =>
    REVISION_PAGES.has(page) || FILE_PAGES.has(page) || isViewer(page);
  const pageAt = rest.length < 3 ? -1 : ([2, 1].find((at) => isPage(rest[at] ?? '')) ?? -1);
  if (pageAt === -1) return withQuant(type, rest.join('/').replace(/\.git$/u, ''), form);
  const id = rest.slice(0, pageAt).join('/');
  const page = rest[pageAt] ?? '';
  if (isViewer(page)) return checked(type, id, {}, form);
  const { ref, file } = splitRef(rest.slice(pageAt + 1));
  if (FILE_PAGES.has(page)) return checked(type, id, { ref, file }, form);
  if (file === '') return checked(type, id, { ref }, form);
  const only =
    page === 'tree' ? `it names a folder; select ${quote(`${file}/`)}` : 'it names a file';
  throw invalid(quote(form), only);
}

/** `org/name[@rev][/file]`, as the file system of huggingface_hub reads it: paths are not encoded. */
function parseFilePath(path: string, form: string): RepoForm {
  const { type = 'model', rest } = splitType(segmentsOf(path));
  const nameAt = rest[0]?.includes('@') === true ? 0 : 1;
  const [id = '', ...revs] = rest
    .slice(0, nameAt + 1)
    .join('/')
    .split('@');
  const below = rest.slice(nameAt + 1);
  if (revs.length === 0) {
    return checked(type, id, below.length === 0 ? {} : { file: below.join('/') }, form);
  }
  const { ref, file } = splitRef([revs.join('@'), ...below]);
  return checked(type, id, { ref: decode(ref, form), ...(file === '' ? {} : { file }) }, form);
}

const segmentsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** A ref is one segment, or three for `refs/pr/N` with plain slashes; a file follows. */
function splitRef(segments: readonly string[]): { ref: string; file: string } {
  const length = segments[0] === 'refs' ? 3 : 1;
  return { ref: segments.slice(0, length).join('/'), file: segments.slice(length).join('/') };
}

function checked(
  type: RepoType,
  id: string,
  at: Pick<RepoForm, 'ref' | 'file'>,
  form: string,
): RepoForm {
  const badRef = at.ref === undefined ? undefined : badRefReason(at.ref);
  if (badRef !== undefined) throw invalid(quote(form), `its revision ${badRef}`);
  const badFile = at.file === undefined ? undefined : unsafeReason(at.file);
  if (badFile !== undefined) throw invalid(quote(form), `its file ${badFile}`);
  return { type, id: checkedId(id, form), ...at };
}

/** Splits off a leading `models/` or `datasets/`. */
function splitType(segments: readonly string[]): { type?: RepoType; rest: readonly string[] } {
  if (segments.length > 1 && segments[0] === 'spaces') throw unsupported('spaces are');
  const type = segments.length > 1 ? TYPE_PREFIXES.get(segments[0] ?? '') : undefined;
  return type === undefined ? { rest: segments } : { type, rest: segments.slice(1) };
}

function checkedId(id: string, form: string): string {
  if (isRepoId(id)) return id;
  throw invalid(quote(form), 'write org/name or its address on the Hub');
}

function decode(segment: string, form: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw invalid(quote(form), 'its percent-encoding is broken', cause);
  }
}

/** @param what never quotes the form, which may hold a password */
const unsupported = (what: string): HugError =>
  new HugError('EHUG_REPO_INVALID', `${what} not supported`, { hint: HOW_TO_WRITE });

const HOW_TO_WRITE =
  'Write org/name, hf:org/name, hf-datasets:org/name, or an address of a model or dataset on the Hub.';

function invalid(what: string, reason?: string, cause?: unknown): HugError {
  const because = reason === undefined ? '' : `: ${reason}`;
  return new HugError('EHUG_REPO_INVALID', `${what} is not a repository${because}`, {
    hint: HOW_TO_WRITE,
    cause,
  });
}
