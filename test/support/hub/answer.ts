import { randomUUID } from 'node:crypto';
import { type Caller, type Scheme, standing, type Tokens } from './access.ts';
import { conditional } from './conditions.ts';
import { answerGit } from './git-http.ts';
import type { Context, HubOptions } from './context.ts';
import { answerRaw, answerResolve, answerResolveCache, requireAccess } from './files.ts';
import { answerCommits, answerInfo, answerRefs, answerWhoAmI } from './info.ts';
import { Refusal, repoDisabled, repoMissing, routeMissing, unauthenticated } from './refusals.ts';
import { type Headers, type HubRequest, plain, redirect, type Reply } from './reply.ts';
import type { Repositories } from './repositories.ts';
import type { Repository } from './repository.ts';
import { parseRoute, type Route, type Verb } from './route.ts';
import { answerPathsInfo, answerTree, answerTreeSize } from './tree.ts';

/** What the hub answers from. */
export interface HubState {
  readonly repositories: Repositories;
  readonly tokens: Tokens;
  readonly options: HubOptions;
  readonly cdnOrigin: string;
}

const HANDLERS: Readonly<Record<Verb, (context: Context) => Reply | Promise<Reply>>> = {
  info: answerInfo,
  revision: answerInfo,
  tree: answerTree,
  treesize: answerTreeSize,
  refs: answerRefs,
  'paths-info': answerPathsInfo,
  commits: answerCommits,
  'auth-check': (context) => {
    requireAccess(context);
    return plain('OK');
  },
  resolve: answerResolve,
  'resolve-cache': answerResolveCache,
  raw: answerRaw,
  git: answerGit,
};

/** What is told about a disabled repository. */
const TOLD_WHEN_DISABLED: ReadonlySet<Verb> = new Set(['info', 'revision']);

/** Requests in five minutes of an anonymous caller. */
const QUOTAS = { api: 500, resolvers: 3000, pages: 100 };

const EXPOSED_HEADERS =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';

/** Answers a request to the hub. */
export async function answerHub(request: HubRequest, state: HubState): Promise<Reply> {
  const reply = await replyOrRefusal(request, state);
  return { ...reply, headers: { ...commonHeaders(request), ...reply.headers } };
}

async function replyOrRefusal(request: HubRequest, state: HubState): Promise<Reply> {
  try {
    const reply = await dispatch(request, state);
    // Files outside the API see to conditions themselves, since `/raw/` knows none.
    return request.path.startsWith('/api/') ? conditional(request, reply) : reply;
  } catch (error) {
    if (error instanceof Refusal) return error.reply(request.path);
    throw error;
  }
}

/** Refuses in the real hub's order: token, repository, disabled; then the handler. */
async function dispatch(request: HubRequest, state: HubState): Promise<Reply> {
  const { repositories, tokens, options, cdnOrigin } = state;
  const route = parseRoute(request.path, (type, id) => repositories.find(type, id) !== undefined);
  const scheme = schemeOf(route);
  const caller = tokens.caller(request.headers.get('authorization'), scheme);
  if (request.path === '/api/whoami-v2') {
    if (caller === undefined) throw unauthenticated();
    return answerWhoAmI();
  }
  if (route === undefined || !takes(route.verb, request.method)) throw routeMissing();
  const repo = visible(route, caller, state);
  if (repo.id !== route.id) {
    return redirect(
      307,
      request.url.replace(request.path, () => route.pathFor(repo.id)),
    );
  }
  if (repo.disabled && !TOLD_WHEN_DISABLED.has(route.verb)) throw repoDisabled();
  return await HANDLERS[route.verb]({
    request,
    repo,
    standing: standing(caller, repo),
    rest: route.rest,
    options,
    cdnOrigin,
  });
}

/** The repository a route names, unless this caller may not know of it. */
function visible(route: Route, caller: Caller, { repositories }: HubState): Repository {
  const repo = repositories.find(route.type, route.id);
  if (repo === undefined || (repo.private && standing(caller, repo) !== 'granted')) {
    throw repoMissing(caller === undefined, schemeOf(route));
  }
  return repo;
}

/** git sends a token as a password; everything else as a bearer. */
const schemeOf = (route: Route | undefined): Scheme => (route?.verb === 'git' ? 'basic' : 'bearer');

function takes(verb: Verb, method: string): boolean {
  if (verb === 'git') return method === 'GET' || method === 'POST';
  return verb === 'paths-info' ? method === 'POST' : method === 'GET' || method === 'HEAD';
}

/** Headers of every answer. The quota never runs out; a fault says otherwise where that matters. */
function commonHeaders({ path }: HubRequest): Headers {
  const bucket = bucketOf(path);
  const quota = QUOTAS[bucket];
  return {
    'X-Powered-By': 'huggingface-moon',
    'X-Request-Id': `Root=1-${randomUUID()}`,
    Vary: 'Origin',
    'Access-Control-Expose-Headers': EXPOSED_HEADERS,
    'Strict-Transport-Security': 'max-age=31536000',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    RateLimit: `"${bucket}";r=${quota - 1};t=172`,
    'RateLimit-Policy': `"fixed window";"${bucket}";q=${quota};w=300`,
  };
}

function bucketOf(path: string): keyof typeof QUOTAS {
  if (/\/resolve(?:-cache)?\//u.test(path)) return 'resolvers';
  return path.startsWith('/api/') ? 'api' : 'pages';
}
