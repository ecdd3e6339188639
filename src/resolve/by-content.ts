/** What tells the content of a file from others: git blob id and length in bytes. */
interface ContentId {
  readonly oid: string;
  readonly size: number;
}

/** Values that depend on the content of a file alone, shared by all entries of a run. */
export interface ByContent<T> {
  /** The value for a content; `make` is called for a content that is not known yet. */
  get(file: ContentId, make: () => Promise<T>): Promise<T>;
}

/**
 * Remembers a value for each content, so that it is made once. After a failure the next call makes it
 * again: another repository may give the same content.
 *
 * @param known values of an earlier run
 */
export function createByContent<T>(known: Iterable<readonly [ContentId, T]>): ByContent<T> {
  const key = ({ oid, size }: ContentId) => `${oid} ${size}`;
  const values = new Map<string, Promise<T>>();
  for (const [file, value] of known) values.set(key(file), Promise.resolve(value));
  return {
    get(file, make) {
      const value = values.get(key(file))?.catch(make) ?? make();
      values.set(key(file), value);
      return value;
    },
  };
}
