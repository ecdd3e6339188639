import { createHmac } from 'node:crypto';
import { conditional } from './conditions.ts';
import { contentOf } from './content.ts';
import type { LfsObject, LfsStore } from './lfs-store.ts';
import type { HubRequest, Reply } from './reply.ts';
import type { Repository } from './repository.ts';

/** Seconds for which a signed address is served. */
const ADDRESS_LIFETIME = 3600;
const PREFIX = 'xet-bridge-us';
const SIGNING_KEY = 'test hub';

/** A signed address of an LFS object that is good for an hour. */
export function signedAddress(
  cdnOrigin: string,
  repo: Repository,
  object: LfsObject,
  disposition: string,
): string {
  const path = `/${PREFIX}/${repo.internalId}/${object.cdnHash}`;
  const expires = String(Math.floor(Date.now() / 1000) + ADDRESS_LIFETIME);
  const query = new URLSearchParams({
    Expires: expires,
    'Key-Pair-Id': 'TESTHUB',
    Signature: sign(path, expires),
    'response-content-disposition': disposition,
  });
  return `${cdnOrigin}${path}?${query.toString()}`;
}

/** Serves a signed address; the ETag is not the digest of the content, as on the real CDN. */
export function answerCdn(request: HubRequest, store: LfsStore): Reply {
  const { path, query } = request;
  const expires = query.get('Expires') ?? '';
  const object = store.ofCdnHash(path.split('/')[3] ?? '');
  if (object === undefined) return accessDenied(404, 'NoSuchKey');
  if (query.get('Signature') !== sign(path, expires) || Number(expires) * 1000 < Date.now()) {
    return accessDenied();
  }
  return conditional(request, {
    status: 200,
    headers: {
      'Content-Type': 'application/octet-stream',
      ETag: `"${object.cdnHash}"`,
      'Accept-Ranges': 'bytes',
      'Content-Disposition': query.get('response-content-disposition') ?? 'inline',
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': '*',
    },
    body: object.content,
  });
}

/** What the CDN says to an address that is expired, tampered with or unknown. */
export function accessDenied(status: 403 | 404 = 403, code = 'AccessDenied'): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/xml' },
    body: contentOf(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`),
  };
}

function sign(path: string, expires: string): string {
  return createHmac('sha256', SIGNING_KEY).update(`${path} ${expires}`).digest('base64url');
}
