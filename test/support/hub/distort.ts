import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { accessDenied } from './cdn.ts';
import { collect, concat, type Content, contentOf, filled, slice } from './content.ts';
import { nextLink } from './context.ts';
import type { Fault } from './fault.ts';
import { type Headers, type HubRequest, json, redirect, type Reply } from './reply.ts';
import { cursorAt } from './tree.ts';

/**
 * Makes a wrong answer of a true one.
 *
 * @param hit how many requests the rule of the fault has had, with this one
 */
export async function distort(
  reply: Reply,
  fault: Fault,
  request: HubRequest,
  hit: number,
): Promise<Reply> {
  const { body } = reply;
  switch (fault.kind) {
    case 'status': {
      const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...fault.headers };
      return { status: fault.status, headers, body: contentOf(fault.body ?? 'Injected fault') };
    }
    case 'delay':
      await sleep(fault.ms, undefined, { ref: false });
      return reply;
    case 'reset':
      if (fault.afterBytes === undefined) return { ...reply, ending: 'reset' };
      return endedAfter(reply, fault.afterBytes, 'late reset');
    case 'cut':
    case 'stall':
      return endedAfter(reply, fault.afterBytes, fault.kind);
    case 'corrupt':
      return { ...reply, body: flipped(body, fault.at ?? 0) };
    case 'truncate':
      return { ...reply, body: slice(body, 0, Math.min(body.size, fault.bytes)) };
    case 'extend':
      return { ...reply, body: concat(body, filled('x', fault.bytes)) };
    case 'gzip':
      return compressed(reply);
    case 'slow':
      return { ...reply, bytesPerSecond: fault.bytesPerSecond };
    case 'html':
      return {
        status: 200,
        headers: { 'Content-Type': 'text/html; charset=utf-8' },
        body: contentOf('<!doctype html><title>Welcome</title><p>Please log in to this network.'),
      };
    case 'json': {
      const value =
        typeof fault.body === 'function' ? fault.body(await parsed<never>(body)) : fault.body;
      return rewritten(reply, value);
    }
    case 'headers':
      return { ...reply, headers: overlaid(reply.headers, fault.headers) };
    case 'paging': {
      if (fault.next === 'same') {
        const link = `<${request.base}${request.url}>; rel="next"`;
        return { ...reply, headers: { ...reply.headers, Link: link } };
      }
      const entries = await parsed<{ path: string }[]>(body);
      const page = entries.map((entry) => ({ ...entry, path: `page-${hit}/${entry.path}` }));
      return rewritten(reply, page, { Link: nextLink(request, cursorAt(0, hit)) });
    }
    case 'redirect':
      return redirect(fault.status ?? 302, fault.location);
    case 'expired':
      return accessDenied();
    case 'hugeJson': {
      const huge = {
        status: 200,
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: concat(contentOf('["'), filled('x', fault.bytes - 4), contentOf('"]')),
      };
      return fault.compressed === true ? compressed(huge) : huge;
    }
    default:
      return fault satisfies never;
  }
}

/** The same answer, whose body ends after so many bytes although it announces all of them. */
function endedAfter(reply: Reply, bytes: number, ending: NonNullable<Reply['ending']>): Reply {
  const { body } = reply;
  const sent = slice(body, 0, Math.min(body.size, bytes));
  return { ...reply, announcedBytes: body.size, body: sent, ending };
}

const compressed = (reply: Reply): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'Content-Encoding': 'gzip' },
  announcedBytes: 'none',
  body: gzipped(reply.body),
});

const parsed = async <Shape>(body: Content): Promise<Shape> =>
  JSON.parse((await collect(body)).toString());

/** The same answer with another JSON value, and an ETag that fits it. */
function rewritten(reply: Reply, value: unknown, headers: Headers = {}): Reply {
  const kept = overlaid(reply.headers, { ETag: undefined });
  return json(value, { ...kept, ...headers }, reply.status);
}

function overlaid(
  headers: Headers,
  changes: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const result = { ...headers };
  for (const [name, value] of Object.entries(changes)) {
    const old = Object.keys(result).find((key) => key.toLowerCase() === name.toLowerCase());
    if (old !== undefined) delete result[old];
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function flipped(content: Content, at: number): Content {
  return {
    size: content.size,
    async *read(start, end) {
      let position = start;
      for await (const chunk of content.read(start, end)) {
        const copy = Buffer.from(chunk);
        const index = at - position;
        const byte = copy[index];
        if (byte !== undefined) copy[index] = ~byte;
        position += chunk.length;
        yield copy;
      }
    },
  };
}

/** Readable from the start only, which is how an answer is sent. */
function gzipped(content: Content): Content {
  return {
    size: content.size,
    async *read(start, end) {
      yield* Readable.from(content.read(start, end)).pipe(createGzip());
    },
  };
}
