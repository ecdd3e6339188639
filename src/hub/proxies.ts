import { BlockList, isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/** Addresses of proxies; an empty text means none. */
export interface Proxies {
  /** For addresses with `http:`. */
  readonly http: string;
  /** For addresses with `https:`. */
  readonly https: string;
  /** `NO_PROXY`: hosts that are reached without. */
  readonly no: string;
}

/**
 * Reads a `NO_PROXY` list as curl does: host names with everything below them, addresses, and ranges
 * of addresses in CIDR notation; a `*` stands for every host. As in other programs, an item may end
 * in a port, begin with `*.`, and have brackets around an IPv6 address.
 *
 * @param list items between commas or blanks
 * @returns whether an address is to be reached without a proxy
 */
export function readNoProxy(list: string): (url: URL) => boolean {
  const items = list.split(/[\s,]+/u).filter((item) => item !== '');
  const matchers = items.map(matcherOf);
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$|\.$/gu, '');
    const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port;
    return matchers.some((matches) => matches(host, port));
  };
}

type Matcher = (host: string, port: string | undefined) => boolean;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** A host with a port: more than one colon belongs to an IPv6 address unless it is in brackets. */
const WITH_PORT = /^(?<name>\[[^\]]*\]|[^:]*):(?<port>\d+)$/u;

function matcherOf(item: string): Matcher {
  if (item === '*') return () => true;
  const { name = item, port } = WITH_PORT.exec(item)?.groups ?? {};
  const matches = hostMatcher(name.replace(/^\[|\]$/gu, ''));
  return (host, at) => (port === undefined || port === at) && matches(host);
}

function hostMatcher(name: string): (host: string) => boolean {
  const [address = '', prefix] = name.split('/', 2);
  const family = isIP(address);
  if (family === 0) {
    const domain = name.toLowerCase().replace(/^(?:\*?\.)|\.$/gu, '');
    return (host) => isIP(host) === 0 && (host === domain || host.endsWith(`.${domain}`));
  }
  const maxBits = family === 4 ? 32 : 128;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const bits = prefix ?? String(maxBits);
  if (!/^\d{1,3}$/u.test(bits) || Number(bits) > maxBits) return () => false;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits), type);
  return (host) => isIP(host) === family && addresses.check(host, type);
}

/** Connections, some of them through proxies. */
export interface Pool {
  readonly dispatcher: Dispatcher;
  /** Ends every connection. */
  destroy(): Promise<void>;
}

/**
 * Opens a pool of connections that sends each request through the proxy for its address, or directly.
 *
 * @param tls of every connection with TLS, to a proxy too
 */
export function createPool(
  proxies: Proxies,
  options: Agent.Options,
  tls: Pick<TlsOptions, 'secureContext'>,
): Pool {
  const direct = new Agent({ ...options, connect: tls });
  const through = (uri: string) =>
    uri === '' ? undefined : new ProxyAgent({ ...options, uri, requestTls: tls, proxyTls: tls });
  const byProtocol = new Map([
    ['http:', through(proxies.http)],
    ['https:', through(proxies.https)],
  ]);
  const isDirect = readNoProxy(proxies.no);
  const route: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (request, handler) => {
    const url = new URL(request.origin ?? '');
    const proxy = isDirect(url) ? undefined : byProtocol.get(url.protocol);
    return proxy === undefined ? dispatch(request, handler) : proxy.dispatch(request, handler);
  };
  return {
    dispatcher: direct.compose(route),
    async destroy() {
      await Promise.all([direct, ...byProtocol.values()].map(async (each) => each?.destroy()));
    },
  };
}
