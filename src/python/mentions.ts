import { calledName } from './callees.ts';
import { MAY_CALL, WRITING_ARGUMENTS, WRITING_CALLS } from './calls.ts';
import { stringOf } from './literals.ts';
import { type CallReading, type LoadedRepo, readCall, type UnknownLoad } from './read-call.ts';
import { type Expression, readScopes } from './scopes.ts';
import { argumentsOf, parsePython } from './syntax.ts';

/** A line of a source, counted from 1. */
interface Placed {
  readonly line: number;
}

/** What a source says of the Hub. */
export interface Mentions {
  readonly loaded: readonly (LoadedRepo & Placed)[];
  readonly unknown: readonly (UnknownLoad & Placed)[];
  /** Folders that the program writes: they are no repositories when it loads them again. */
  readonly written: readonly string[];
}

/**
 * Reads which repositories of the Hub the calls of a Python source load. Comments, texts and what is
 * never called name none. Broken syntax hides only what is around it.
 *
 * @param source text of a module
 */
export function mentionsIn(source: string): Mentions {
  if (!MAY_CALL.test(source)) return { loaded: [], unknown: [], written: [] };
  const lineAt = lineCounter(source);
  const calls = readScopes(parsePython(source), source);
  const read = calls.map((call): CallReading & Placed => ({
    ...readCall(call, source),
    line: lineAt(call.node),
  }));
  return {
    loaded: read.flatMap(({ loaded, line }) => loaded.map((one) => ({ ...one, line }))),
    unknown: read.flatMap(({ unknown, line }) => unknown.map((one) => ({ ...one, line }))),
    written: calls.flatMap((call) => writtenBy(call, source)),
  };
}

/** The folders that a call writes, by what it is called or how its arguments are named. */
function writtenBy(call: Expression, source: string): readonly string[] {
  const given = argumentsOf(call.node, source);
  if (given === undefined) return [];
  const named = WRITING_ARGUMENTS.flatMap((name) => given.byName.get(name) ?? []);
  const isWriter = WRITING_CALLS.includes(calledName(call, source) ?? '');
  return [...(isWriter ? given.positional.slice(0, 1) : []), ...named].flatMap((node) => {
    const text = stringOf({ node, scope: call.scope }, source);
    return text === undefined ? [] : [text.replace(/^\.\//u, '').replace(/\/+$/u, '')];
  });
}

/** Counts the line where the arguments of a call begin; calls come in the order of the source. */
function lineCounter(source: string): (call: Expression['node']) => number {
  const starts = [0, ...[...source.matchAll(/\r\n?|\n/gu)].map((end) => end.index + end[0].length)];
  return ({ lastChild, from }) => {
    const offset = lastChild?.from ?? from;
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
