import { isPlainObject } from '../plain-object.ts';
import type { RepoType } from '../repo.ts';

/** Keys and list indices from the top of a file to a value. */
export type Path = readonly unknown[];

/** Which part of a map's pair is meant. An item of a list has only a value. */
export type Part = 'key' | 'value';

/** Something wrong with the data at a path. */
export interface Problem {
  readonly path: Path;
  readonly part: Part;
  readonly message: string;
}

/** The sections of a manifest in the order of its entries, and the type of what they hold. */
export const SECTIONS = [
  { section: 'models', type: 'model' },
  { section: 'datasets', type: 'dataset' },
] as const satisfies readonly { section: string; type: RepoType }[];

/** The data as a map; an empty one when it is something else. */
export function asMap(data: unknown): Readonly<Record<string, unknown>> {
  return isPlainObject(data) ? data : {};
}
