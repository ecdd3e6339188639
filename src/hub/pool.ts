import { BlockList, isIP } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { Env } from '../hf-home.ts';
import { readRegularFile } from '../regular-file.ts';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

/** Addresses of proxies; an empty text means none. */
export interface Proxies {
  /** For addresses with `http:`. */
  readonly http: string;
  /** For addresses with `https:`. */
  readonly https: string;
  /** `NO_PROXY`: hosts that are reached without. */
  readonly no: string;
}

/** Which way connections go, and whom they trust. */
export interface PoolOptions {
  readonly proxy?: Proxies;
  /** Certificates to trust, for proxies too; default those of Node. */
  readonly authorities?: SecureContext | undefined;
}

/** Opens a pool of connections, each through the proxy for its address, or directly. */
export function createPool(
  { proxy = NO_PROXIES, authorities }: PoolOptions,
  timeouts: Pick<Agent.Options, 'headersTimeout' | 'bodyTimeout'>,
): { readonly dispatcher: Dispatcher; destroy(): Promise<void> } {
  const tls = authorities === undefined ? {} : { secureContext: authorities };
  const options = { ...timeouts, connect: tls, requestTls: tls, proxyTls: tls };
  const direct = new Agent(options);
  const { http: httpProxy, https: httpsProxy } = proxy;
  const proxied = new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy: '' });
  const proxyOf = createProxyChoice(proxy);
  const route: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (request, handler) =>
    proxyOf(new URL(request.origin ?? '')) === ''
      ? direct.dispatch(request, handler)
      : dispatch(request, handler);
  return {
    dispatcher: proxied.compose(route),
    async destroy() {
      await Promise.all([direct.destroy(), proxied.destroy()]);
    },
  };
}

const NO_PROXIES: Proxies = { http: '', https: '', no: '' };

/** Makes what tells the proxy for an address; an empty text means none. */
export function createProxyChoice({ http, https, no }: Proxies): (url: URL) => string {
  const isExcepted = readNoProxy(no);
  return (url) => (isExcepted(url) ? '' : url.protocol === 'https:' ? https : http);
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** A host with a port: more than one colon belongs to an IPv6 address unless it is in brackets. */
const WITH_PORT = /^(?<name>\[[^\]]*\]|[^:]*):(?<port>\d+)$/u;

/**
 * Reads a `NO_PROXY` list as curl does: host names with everything below them, addresses, and ranges
 * of addresses in CIDR notation; a `*` stands for every host. As in other programs, an item may end
 * in a port, begin with `*.`, and have brackets around an IPv6 address.
 *
 * @param list items between commas or blanks
 * @returns whether an address is to be reached without a proxy
 */
export function readNoProxy(list: string): (url: URL) => boolean {
  const items = list.split(/[\s,]+/u).map((item) => {
    const { name = item, port } = WITH_PORT.exec(item)?.groups ?? {};
    return { matches: hostMatcher(name.replace(/^\[|\]$/gu, '')), port };
  });
  return ({ hostname, protocol, port: given }) => {
    const host = hostname.replace(/^\[|\]$|\.$/gu, '');
    const at = given || DEFAULT_PORTS[protocol];
    return items.some(({ matches, port = at }) => port === at && matches(host));
  };
}

function hostMatcher(name: string): (host: string) => boolean {
  if (name === '*') return () => true;
  const [address = '', prefix] = name.split('/', 2);
  const family = isIP(address);
  if (family === 0) {
    const domain = name.toLowerCase().replace(/^\*?\.|\.$/gu, '');
    return (host) => isIP(host) === 0 && `.${host}`.endsWith(`.${domain}`);
  }
  const [type, maxBits] = family === 4 ? (['ipv4', 32] as const) : (['ipv6', 128] as const);
  const bits = prefix ?? String(maxBits);
  if (!/^\d+$/u.test(bits) || Number(bits) > maxBits) return () => false;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits), type);
  return (host) => isIP(host) === family && addresses.check(host, type);
}

/** Variables that name a file of certificates, which Node does not read by itself. */
const VARIABLES = ['NIX_SSL_CERT_FILE', 'SSL_CERT_FILE'];

/** As files of certificates have it, between comments. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu;

/**
 * Certificates to trust: those of Node and of files that the environment names.
 *
 * @param warn told of a file that cannot be read; as for Node, the others count without it
 */
export async function readCertificates(
  env: Env,
  warn: (line: string) => void,
): Promise<readonly string[]> {
  const files = new Map([...VARIABLES, 'NODE_EXTRA_CA_CERTS'].map((name) => [env[name], name]));
  const certificates = new Set(rootCertificates);
  for (const [file, name] of files) {
    if (!file) continue;
    try {
      const text = await readRegularFile(file);
      for (const [certificate] of text.matchAll(CERTIFICATE)) certificates.add(certificate);
    } catch (error) {
      warn(`${name} is ignored: ${messageOf(error)}`);
    }
  }
  return [...certificates];
}

/**
 * The same for Node. The context is made once, not for each connection, since so many certificates
 * take time.
 *
 * @returns `undefined` when Node trusts all of them by itself
 */
export async function readAuthorities(
  env: Env,
  warn: (line: string) => void,
): Promise<SecureContext | undefined> {
  if (VARIABLES.every((name) => !env[name])) return undefined;
  return createSecureContext({ ca: [...(await readCertificates(env, warn))] });
}
