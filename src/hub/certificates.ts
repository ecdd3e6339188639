import { rootCertificates } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { Env } from '../hf-home.ts';
import { readRegularFile } from '../regular-file.ts';

/** Variables that name a file of certificates, which Node does not read by itself. */
const VARIABLES = ['NIX_SSL_CERT_FILE', 'SSL_CERT_FILE'] as const;

/** As files of certificates have it, between comments. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu;

/**
 * Certificates of authorities (PEM) to trust beside those that Node brings along.
 *
 * @param warn told of a file that cannot be read; as for Node, the others count without it
 * @returns those of `NODE_EXTRA_CA_CERTS` among them, which Node adds to its own list only; none when
 *   no other variable is set
 */
export async function readCertificates(env: Env, warn: (line: string) => void): Promise<string[]> {
  if (VARIABLES.every((name) => !env[name])) return [];
  const files = new Map([...VARIABLES, 'NODE_EXTRA_CA_CERTS'].map((name) => [env[name], name]));
  const certificates = new Set<string>();
  for (const [file, name] of files) {
    if (!file) continue;
    try {
      const text = await readRegularFile(file);
      for (const [certificate] of text.matchAll(CERTIFICATE)) certificates.add(certificate);
    } catch (error) {
      warn(`${name} is ignored: ${messageOf(error)}`);
    }
  }
  // Most bundles repeat those of Node, and each one takes time.
  for (const known of rootCertificates) certificates.delete(known);
  return [...certificates];
}
