import fc from 'fast-check';
import type { Fault, FaultRule } from '../support/hub/index.ts';
import { infoLie, refsLie, treeLie } from './lies.ts';

/** Commands that are tried under faults. */
export type Command = 'lock' | 'update' | 'add' | 'fetch' | 'export' | 'inspect' | 'audit';

/** What goes wrong in one run. */
export interface Plan {
  /** The faults in words. */
  readonly title: string;
  /** One for each rule of the hub. */
  readonly steps: readonly Step[];
  /** A number for what else may differ from run to run. */
  readonly variant: number;
}

/** One rule for the faults of a hub. */
interface Step extends Omit<FaultRule, 'fault'> {
  readonly title: string;
  /** The fault; addresses in it may name what only a running hub knows. */
  readonly fault: (places: Places) => Fault;
  /**
   * Whether the answer is one that a Hub could give of another repository, so that nobody can know
   * better.
   */
  readonly isPlausible: boolean;
}

/** Addresses that redirects lead to. */
export interface Places {
  readonly endpoint: string;
  readonly cdn: string;
  /** Another origin, which nothing but a redirect leads to. */
  readonly foreign: string;
}

/** A token that the hub knows, and that must be seen nowhere else. */
export const TOKEN = 'hf_secret_token_of_the_owner';

/** The kinds of requests that a command makes. */
const ASKS_FOR: Readonly<Record<Command, readonly Target[]>> = {
  lock: ['the pack', 'the revision', 'the tree', 'the refs', 'any file', 'anything'],
  update: ['the pack', 'the revision', 'the tree', 'the refs', 'any file', 'anything'],
  add: ['the pack', 'the revision', 'the tree', 'any file', 'anything'],
  fetch: ['the pack', 'any file', 'the CDN', 'anything'],
  export: ['the pack', 'any file', 'the CDN', 'anything'],
  inspect: ['the revision', 'the tree', 'anything'],
  audit: ['the revision', 'any file', 'anything'],
};

/** The plans for a command, each with its title: its share of `FAULT_RUNS`, from `FAULT_SEED`. */
export function plansFor(command: Command): [string, Plan][] {
  const commands = Object.keys(ASKS_FOR);
  const seed = Number(process.env['FAULT_SEED']) + commands.indexOf(command);
  const numRuns = Math.ceil(Number(process.env['FAULT_RUNS']) / commands.length);
  const plans = fc.sample(planOf(ASKS_FOR[command]), { seed, numRuns });
  return plans.map((plan) => [plan.title, plan]);
}

/** Bodies of the test hub have up to so many bytes, most of them far fewer. */
const LARGEST_BODY = 200_000;
const position = fc.oneof(fc.nat(300), fc.nat(LARGEST_BODY + 1000));

const TARGETS = {
  'the revision': /\/revision\//u,
  'the tree': /\/tree\//u,
  'the refs': /\/refs(?:\?|$)/u,
  'any file': /\/resolve(?:-cache)?\//u,
  'the pack': /git-upload-pack/u,
  'the CDN': ({ origin }: { origin: string }) => origin === 'cdn',
  anything: /^/u,
} as const;

type Target = keyof typeof TARGETS;

const ODD_WAITS = [
  '0',
  '1',
  '-5',
  'soon',
  '',
  '1e3',
  '9'.repeat(30),
  'Wed, 21 Oct 2015 07:28:00 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  '0, 0',
];
const ODD_LIMITS = ['"api";r=0;t=0', '"api";r=0;t=999999999', ';r=0;t=', 'r=0', '"\\";;;', ''];

const SAYINGS = [
  '',
  'no',
  '{"error":"no"}',
  '<!doctype html><h1>no</h1>',
  '\u001b]0;title\u0007\u001b[31mno',
  `Bearer ${TOKEN}`,
  `{"error":"the token ${TOKEN} is wrong"}`,
  '{"error":',
  'x'.repeat(100_000),
];
const STATUSES = [
  200, 201, 204, 206, 300, 301, 304, 308, 400, 401, 403, 404, 408, 410, 416, 418, 425, 429, 451,
  500, 501, 502, 503, 504, 520, 599,
];
const REASONS = ['GatedRepo', 'EntryNotFound', 'RevisionNotFound', 'RepoNotFound', 'Surprise'];

/** Faults that are no answer of any repository. */
const noise: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('reset' as const) }),
  fc.record({ kind: fc.constant('reset' as const), afterBytes: position }),
  fc.record({ kind: fc.constant('cut' as const), afterBytes: position }),
  fc.record({ kind: fc.constant('stall' as const), afterBytes: position }),
  fc.record({ kind: fc.constant('delay' as const), ms: fc.nat(400) }),
  fc.record({ kind: fc.constant('corrupt' as const), at: position }),
  fc.record({ kind: fc.constant('truncate' as const), bytes: position }),
  fc.record({
    kind: fc.constant('extend' as const),
    bytes: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 10_000_000 })),
  }),
  fc.record({ kind: fc.constant('gzip' as const) }),
  fc.record({
    kind: fc.constant('slow' as const),
    bytesPerSecond: fc.integer({ min: 200_000, max: 2_000_000 }),
  }),
  fc.record({ kind: fc.constant('html' as const) }),
  fc.record({ kind: fc.constant('expired' as const) }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(...STATUSES),
    headers: fc.oneof(
      fc.constant({}),
      fc.constantFrom(...REASONS).map((reason) => ({ 'X-Error-Code': reason })),
      fc.constant({ 'X-Error-Message': `the token ${TOKEN} is wrong` }),
    ),
    body: fc.constantFrom(...SAYINGS),
  }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(429, 429, 503),
    headers: fc.oneof(
      fc.constantFrom(...ODD_WAITS).map((wait) => ({ 'Retry-After': wait })),
      fc.constantFrom(...ODD_LIMITS).map((limit) => ({ RateLimit: limit })),
    ),
  }),
  fc.record({
    kind: fc.constant('headers' as const),
    headers: fc.constantFrom<Record<string, string>>(
      { 'content-encoding': 'br' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'identity' },
      { 'content-range': 'bytes 0-0/1' },
      { 'content-range': 'bytes 5-1/*' },
      { 'content-type': 'image/png' },
      { link: '<http://127.0.0.3:9/x>; rel="next"' },
      { link: `<${'/'.repeat(5000)}>; rel="next"` },
      { link: '<javascript:1>; rel="next"' },
      { 'set-cookie': 'a=b', 'www-authenticate': 'Basic realm="x"' },
    ),
  }),
);

/** Redirects to places that no Hub sends to. */
const redirect = fc
  .record({
    status: fc.constantFrom(301, 302, 303, 307, 308),
    to: fc.constantFrom<(places: Places) => string>(
      () => 'file:///etc/passwd',
      () => '?loop',
      () => '/api/models/org/tiny/tree/loop',
      () => '/api/models/org/other/revision/main',
      () => '/org/other/resolve/main/config.json',
      () => 'http://127.0.0.1:9/closed',
      () => 'ftp://127.0.0.1/x',
      () => 'javascript:alert(1)',
      () => 'data:application/json,[]',
      () => 'http://[::bad',
      () => '',
      ({ foreign }) => `${foreign}/html`,
      ({ foreign }) => `${foreign}/json`,
      ({ foreign }) => `${foreign}/empty`,
      ({ foreign }) => `${foreign}/echo`,
      ({ foreign }) => `${foreign}/back`,
      ({ foreign }) => foreign.replace('http://', 'http://user:password@'),
      ({ foreign }) => foreign.replace('http://', 'https://'),
      ({ foreign }) => `${foreign.replace('http:', '')}/html`,
      ({ cdn }) => `${cdn}/elsewhere`,
      ({ endpoint }) => `${endpoint}/api/whoami-v2`,
    ),
  })
  .map(({ status, to }) => (places: Places): Fault => {
    return { kind: 'status', status, headers: { Location: to(places) } };
  });

const times = fc.constantFrom(1, 1, 2, 3, 5, 30, Infinity);
const when = { skip: fc.constantFrom(0, 0, 0, 1, 2, 5), times };

const noiseStep = (target: fc.Arbitrary<Target>) =>
  fc.record({ target, fault: noise, ...when }).map(({ target: where, fault, ...rest }) =>
    step(where, JSON.stringify(fault).slice(0, 200), () => fault, {
      ...rest,
      // Each one costs a time-out, and progress makes the tries start anew.
      times:
        fault.kind === 'stall' || fault.kind === 'delay' ? Math.min(rest.times, 4) : rest.times,
    }),
  );

const redirectStep = (target: fc.Arbitrary<Target>) =>
  fc.record({ target, fault: redirect, ...when }).map(({ target: where, fault, ...rest }) => {
    const shown = JSON.stringify(
      fault({ endpoint: 'http://hub', cdn: 'http://cdn', foreign: 'http://foreign' }),
    );
    // What another address answers may be an answer about a repository.
    return step(where, shown, fault, { ...rest, isPlausible: true });
  });

const LIES = { 'the tree': treeLie, 'the revision': infoLie, 'the refs': refsLie } as const;

const lieStep = (where: keyof typeof LIES) =>
  fc
    .record({ lie: LIES[where], ...when })
    .map(({ lie: { title, fault }, ...rest }) =>
      step(where, title, () => fault, { ...rest, isPlausible: true }),
    );

const pagingStep = fc
  .constantFrom('same' as const, 'same' as const, 'endless' as const)
  .map((next) =>
    // Pages that never end have files of their own, and another fault may end them.
    step('the tree', `pages: ${next}`, () => ({ kind: 'paging', next }), {
      times: Infinity,
      isPlausible: next === 'endless',
    }),
  );

const hugeStep = fc
  .boolean()
  .map((compressed) =>
    step(
      'the tree',
      `200 MB of JSON, ${compressed ? 'compressed' : 'plain'}`,
      () => ({ kind: 'hugeJson', bytes: 200_000_000, compressed }),
      { times: 1 },
    ),
  );

/** Plans with faults in these kinds of requests; the costly faults are rare. */
function planOf(targets: readonly Target[]): fc.Arbitrary<Plan> {
  const target = fc.constantFrom(...targets);
  const lies = (Object.keys(LIES) as (keyof typeof LIES)[]).filter((key) => targets.includes(key));
  const anyStep = fc.oneof(
    { weight: 40, arbitrary: noiseStep(target) },
    { weight: 10, arbitrary: redirectStep(target) },
    ...lies.map((key) => ({ weight: 7, arbitrary: lieStep(key) })),
    ...(lies.length === 0
      ? []
      : [pagingStep, hugeStep].map((arbitrary) => ({ weight: 1, arbitrary }))),
  );
  return fc
    .record({ steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }), variant: fc.nat(1000) })
    .map(({ steps, variant }) => ({
      title: steps.map(({ title }) => title).join(' + '),
      steps,
      variant,
    }));
}

function step(
  where: Target,
  title: string,
  fault: Step['fault'],
  { skip = 0, times: hits = 1, isPlausible = false }: Partial<Step>,
): Step {
  const often = hits === Infinity ? 'always' : `${hits} times`;
  return {
    title: `${where}, ${often} after ${skip}: ${title}`,
    match: TARGETS[where],
    skip,
    times: hits,
    fault,
    isPlausible,
  };
}
