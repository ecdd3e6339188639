import { contentOf, slice } from './content.ts';
import type { Headers, HubRequest, Reply } from './reply.ts';

const RANGE = /^bytes=(?<first>\d*)-(?<last>\d*)$/u;

/**
 * Applies `If-Match`, `If-None-Match`, `If-Range` and a single `Range` (RFC 9110) to a 200 answer
 * that has an ETag. Ranges need `Accept-Ranges: bytes` on the answer.
 */
export function conditional(request: HubRequest, reply: Reply): Reply {
  const etag = reply.headers['ETag'];
  if (reply.status !== 200 || etag === undefined || !/^(?:GET|HEAD)$/u.test(request.method)) {
    return reply;
  }
  const ifMatch = request.headers.get('if-match');
  if (ifMatch !== undefined && !lists(ifMatch, etag)) {
    return { status: 412, headers: {}, body: contentOf('') };
  }
  if (isFresh(request, etag)) return notModified(reply.headers);
  const ifRange = request.headers.get('if-range');
  const range = request.headers.get('range');
  if (range === undefined || reply.headers['Accept-Ranges'] !== 'bytes') return reply;
  if (request.method === 'HEAD' || (ifRange !== undefined && ifRange !== etag)) return reply;
  return ranged(reply, range);
}

/** Whether the caller already has what bears this ETag, by `If-None-Match`. */
export function isFresh(request: HubRequest, etag: string): boolean {
  const ifNoneMatch = request.headers.get('if-none-match');
  return ifNoneMatch !== undefined && lists(ifNoneMatch, etag);
}

/** The 304 answer to a request for what the caller already has. */
export function notModified(headers: Headers): Reply {
  return { status: 304, headers, body: contentOf(''), announcedBytes: 'none' };
}

function ranged(reply: Reply, range: string): Reply {
  const { size } = reply.body;
  const { first = '', last = '' } = RANGE.exec(range)?.groups ?? {};
  // A form that is not understood, such as several ranges, is ignored.
  if (first === '' && last === '') return reply;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start >= end) {
    return {
      status: 416,
      headers: { 'Content-Range': `bytes */${size}` },
      body: contentOf(''),
    };
  }
  return {
    ...reply,
    status: 206,
    headers: { ...reply.headers, 'Content-Range': `bytes ${start}-${end - 1}/${size}` },
    body: slice(reply.body, start, end),
  };
}

/** Whether a list of ETags holds this one, by the weak comparison. */
function lists(list: string, etag: string): boolean {
  const strong = (tag: string): string => tag.trim().replace(/^W\//u, '');
  return list.trim() === '*' || list.split(',').some((tag) => strong(tag) === strong(etag));
}
