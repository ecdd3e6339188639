import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const FOLDER = path.join(import.meta.dirname, '..', 'fixtures', 'tls');

/** Path of the certificate that `serveTls` shows. */
export const CERTIFICATE = path.join(FOLDER, 'cert.pem');

/**
 * Serves a Hub by TLS, with a certificate that nobody trusts by default, until the test ends.
 *
 * @param endpoint of a Hub that speaks plain HTTP; its absolute redirects are not changed
 * @returns the address by TLS
 */
export async function serveTls(endpoint: string): Promise<string> {
  const [key, cert] = await Promise.all(
    ['key.pem', 'cert.pem'].map((name) => readFile(path.join(FOLDER, name))),
  );
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers, url = '' } = incoming;
    incoming.pipe(
      request(new URL(url, endpoint), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // Not every machine knows the name localhost.
  return `https://127.0.0.1:${port}`;
}
