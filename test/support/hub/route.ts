import type { RepoType } from './repository.ts';

const API_VERBS = [
  'revision',
  'tree',
  'treesize',
  'refs',
  'paths-info',
  'commits',
  'auth-check',
] as const;
const WEB_VERBS = ['resolve', 'raw'] as const;
/** What git asks for below the address of a repository; anything else of git's is unknown. */
const GIT_PATHS: ReadonlySet<string> = new Set(['info/refs', 'git-upload-pack']);

/** What is asked of a repository. */
export type Verb =
  | 'info'
  | 'resolve-cache'
  | 'git'
  | (typeof API_VERBS)[number]
  | (typeof WEB_VERBS)[number];

/** An address of the hub that concerns a repository. */
export interface Route {
  readonly verb: Verb;
  readonly type: RepoType;
  /** The id as requested. */
  readonly id: string;
  /** Decoded segments after the verb: a revision and a path. */
  readonly rest: readonly string[];
  /** The same path for another id. */
  pathFor(id: string): string;
}

const TYPES: Readonly<Record<string, RepoType>> = { models: 'model', datasets: 'dataset' };
const COMMIT_ID = /^[0-9a-f]{40}$/u;

/**
 * Reads an address. An id has one or two segments, so `a/tree/b` can be read in two ways; the one
 * that names a known repository wins, then the longer id.
 *
 * @param path path as sent, percent-encoded
 * @returns undefined for an address that concerns no repository
 */
export function parseRoute(
  path: string,
  isKnown: (type: RepoType, id: string) => boolean,
): Route | undefined {
  const raw = path.split('/').slice(1);
  const segments = raw.map(decode);
  const { kind, type, idAt } = layoutOf(segments);
  if (type === undefined) return undefined;
  const routes = [2, 1].flatMap((length): Route[] => {
    const end = idAt + length;
    const idSegments = segments.slice(idAt, end);
    if (idSegments.length < length || idSegments.includes('')) return [];
    const found = verbOf(kind, segments.slice(end));
    if (found === undefined) return [];
    const name = idSegments.join('/');
    const suffix = found.verb === 'git' && name.endsWith('.git') ? '.git' : '';
    const pathFor = (id: string): string =>
      `/${[...raw.slice(0, idAt), id + suffix, ...raw.slice(end)].join('/')}`;
    return [{ ...found, type, id: name.slice(0, name.length - suffix.length), pathFor }];
  });
  return routes.find((route) => isKnown(route.type, route.id)) ?? routes[0];
}

type Kind = 'api' | 'cache' | 'web';

function layoutOf(segments: readonly string[]): {
  kind: Kind;
  type: RepoType | undefined;
  idAt: number;
} {
  const [first = '', second = '', third = ''] = segments;
  if (first === 'api' && second === 'resolve-cache') {
    return { kind: 'cache', type: TYPES[third], idAt: 3 };
  }
  if (first === 'api') return { kind: 'api', type: TYPES[second], idAt: 2 };
  return first === 'datasets'
    ? { kind: 'web', type: 'dataset', idAt: 1 }
    : { kind: 'web', type: 'model', idAt: 0 };
}

/** Reads what follows the id. */
function verbOf(kind: Kind, tail: readonly string[]): Pick<Route, 'verb' | 'rest'> | undefined {
  const [first, ...rest] = tail;
  if (first === undefined) return kind === 'api' ? { verb: 'info', rest } : undefined;
  if (kind === 'cache') {
    return COMMIT_ID.test(first) ? { verb: 'resolve-cache', rest: tail } : undefined;
  }
  if (kind === 'web' && GIT_PATHS.has(tail.join('/'))) return { verb: 'git', rest: tail };
  const verb = (kind === 'api' ? API_VERBS : WEB_VERBS).find((known) => known === first);
  return verb === undefined ? undefined : { verb, rest };
}

/** A segment that is not well-formed is left as it is and matches nothing. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
