import { BlockList, isIP } from 'node:net';
import { usageError } from '../errors.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** An IP address, or the name of a host. */
  readonly host: string;
  /** 0 for any port that is free. */
  readonly port: number;
  /** Whether only this machine reaches it. */
  readonly isLoopback: boolean;
}

const HINT = 'It is ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0.';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Reads the value of `--listen`.
 *
 * @throws HugError `EHUG_USAGE`
 */
export function parseListen(text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/u.exec(text) ?? [];
  const named = bracketed ?? plain;
  const port = Number(digits);
  if (named === undefined || port > 65_535 || (bracketed !== undefined && isIP(named) !== 6)) {
    throw usageError(`--listen has no address and port: ${text}`, HINT);
  }
  // Not by a name server, which could say anything.
  const host = named.toLowerCase() === 'localhost' ? '127.0.0.1' : named;
  return { host, port, isLoopback: isLoopback(host) };
}

/** The address of a server with this host. */
export const addressOf = (host: string, port: number): string =>
  `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/**
 * Whether a request names this machine as its host. A page of another site can have its name lead to
 * 127.0.0.1 (DNS rebinding), and then read what a server on loopback sends.
 *
 * @param header the `Host` header; programs of HTTP/1.0 send none, and browsers always do
 */
export function isLocalHost(header: string | undefined): boolean {
  if (header === undefined) return true;
  const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/u.exec(header) ?? [];
  return isLoopback(bracketed ?? plain) || plain.toLowerCase() === 'localhost';
}

function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
