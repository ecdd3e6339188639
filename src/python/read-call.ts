import { badRefReason, DEFAULT_REF, type RepoForm, type RepoType } from '../repo.ts';
import { calledName, isLoaded, rulesOf } from './callees.ts';
import type { CallRule, Parameter } from './calls.ts';
import { byAddress, readName } from './forms.ts';
import { defaultOf, stringOf, stringsOf } from './literals.ts';
import { type CallArguments, type Part, readPart } from './parts.ts';
import type { Expression } from './scopes.ts';
import { type Arguments, argumentsOf, textOf } from './syntax.ts';

/** A repository that a call loads. */
export interface LoadedRepo {
  readonly type: RepoType;
  readonly id: string;
  readonly ref: string;
  readonly part: Part;
  /** Whether the call loads a folder of this name instead, where there is one. */
  readonly mayBePath: boolean;
}

/** A call of which the source does not tell what it loads. */
export interface UnknownLoad {
  /** The call with the argument that could not be read, as it is written. */
  readonly text: string;
  /** What else is known. */
  readonly reason?: string;
}

/** What one call says. */
export interface CallReading {
  readonly loaded: readonly LoadedRepo[];
  readonly unknown: readonly UnknownLoad[];
}

const NOTHING: CallReading = { loaded: [], unknown: [] };

/** Values that name nothing. */
const NO_NAMES = new Set(['None', 'Boolean', 'Number', 'DictionaryExpression', 'LambdaExpression']);

/** What could be an id, and is more likely a file. */
const FILE_NAME =
  /\.(?:py|pt|pth|bin|ckpt|safetensors|gguf|onnx|h5|jsonl?|csv|tsv|txt|parquet|arrow|zip|tar|gz)$/iu;

/** What functions of the Hub load, which take no paths. */
const ONLY_HUB: ReadonlySet<CallRule['part']> = new Set(['file', 'patterns']);

const WHOLE_TAKEN = 'all files of the repository are taken';

/** Reads which repositories a call loads; nothing for a call that loads none. */
export function readCall(call: Expression, source: string): CallReading {
  const rules = rulesOf(call, source);
  const given = rules.length === 0 ? undefined : argumentsOf(call.node, source);
  if (given === undefined) return NOTHING;
  const read = rules.map((rule) => readByRule(rule, callOf(call, given, source)));
  return {
    loaded: read.flatMap(({ loaded }) => loaded),
    unknown: read.flatMap(({ unknown }) => unknown),
  };
}

/** A call whose arguments can be looked up. */
interface Call extends CallArguments {
  /** Whether arguments may be in a `*name` or `**name`. */
  readonly isOpen: boolean;
  readonly unknown: (argument: Expression | undefined, reason?: string) => UnknownLoad;
}

function callOf(call: Expression, given: Arguments, source: string): Call {
  const { scope } = call;
  const get = ({ at, names }: Parameter): Expression | undefined => {
    const name = names.find((one) => given.byName.has(one));
    const node = given.byName.get(name ?? '') ?? given.positional[at ?? -1];
    return node === undefined || node.name === 'None' ? undefined : { node, scope };
  };
  const unknown: Call['unknown'] = (argument, reason) => {
    const node = argument?.node ?? given.list;
    const [name] = [...given.byName].find(([, value]) => value.from === node.from) ?? [];
    const written = textOf(node, source).replace(/\s+/gu, ' ');
    const inside = argument === undefined ? written.replace(/^\(|\)$/gu, '') : written;
    const shown = name === undefined ? inside : `${name}=${inside}`;
    const text = `${calledName(call, source) ?? ''}(${shown})`;
    return reason === undefined ? { text } : { text, reason };
  };
  return { source, isOpen: given.isOpen, get, unknown };
}

function readByRule(rule: CallRule, call: Call): CallReading {
  const argument = call.get(rule.repo);
  if (argument === undefined) {
    const isNeeded = rule.repo.at !== undefined;
    if (call.isOpen && isNeeded) return only(call.unknown(undefined));
    return rule.missing === undefined ? NOTHING : only(call.unknown(undefined, rule.missing));
  }
  const text = stringOf(argument, call.source);
  if (text === undefined) {
    if (NO_NAMES.has(argument.node.name) || isLoaded(argument, call.source)) return NOTHING;
    const usual = defaultOf(argument, call.source);
    const reason = usual === undefined ? undefined : `${JSON.stringify(usual)} by default`;
    return only(call.unknown(argument, reason));
  }
  const form = readName(text, rule.form);
  if (form === undefined) return readOtherName(rule, call, argument);
  if (FILE_NAME.test(form.id)) return only(call.unknown(argument, 'looks like a file'));
  return readRepo(rule, call, form);
}

/** What a name that is no repository leads to: files by their addresses, or a table of the library. */
function readOtherName(rule: CallRule, call: Call, argument: Expression): CallReading {
  if (rule.form === 'hub-prefix') {
    const pretrained = call.get({ at: 1, names: ['pretrained'] });
    const isLoading = pretrained !== undefined && textOf(pretrained.node, call.source) !== 'False';
    const reason = 'a name of the library, which chooses the repository';
    return isLoading ? only(call.unknown(argument, reason)) : NOTHING;
  }
  const files = rule.form === 'dataset' ? call.get({ at: 3, names: ['data_files'] }) : undefined;
  const addresses = files === undefined ? [] : (stringsOf(files, call.source) ?? []);
  const forms = addresses.map(byAddress).filter((form) => form?.file !== undefined);
  if (forms.some((form) => /[*?[{]/u.test(form?.file ?? ''))) return only(call.unknown(files));
  return { loaded: forms.flatMap((form) => (form === undefined ? [] : atFile(form))), unknown: [] };
}

const atFile = ({ type = 'model', id, ref = DEFAULT_REF, file }: RepoForm): LoadedRepo[] => [
  { type, id, ref, part: file === undefined ? {} : { files: [file] }, mayBePath: false },
];

function readRepo(rule: CallRule, call: Call, form: RepoForm): CallReading {
  const { id } = form;
  const kind = call.get({ names: ['repo_type'] });
  const type = kind === undefined ? (form.type ?? rule.type) : stringOf(kind, call.source);
  if (type === 'space') return only(call.unknown(kind, `${id} is a Space`));
  if (type !== 'model' && type !== 'dataset') return only(call.unknown(kind, `of ${id}`));
  const revision = call.get({ names: ['revision'] });
  const ref = revision === undefined ? (form.ref ?? DEFAULT_REF) : stringOf(revision, call.source);
  if (ref === undefined || badRefReason(ref) !== undefined) {
    return only(call.unknown(revision, `of ${id}`));
  }
  if (form.file !== undefined) return { loaded: atFile({ ...form, type, ref }), unknown: [] };
  const { part, unread } = readPart(rule.part, call);
  if (part === undefined) return only(call.unknown(unread, `of ${id}`));
  const mayBePath = rule.form !== 'hub-prefix' && !ONLY_HUB.has(rule.part);
  const loaded = [{ type, id, ref, part, mayBePath } as const];
  const reason = `of ${id}: ${WHOLE_TAKEN}`;
  return { loaded, unknown: unread === undefined ? [] : [call.unknown(unread, reason)] };
}

const only = (unknown: UnknownLoad): CallReading => ({ loaded: [], unknown: [unknown] });
