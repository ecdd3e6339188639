/** Linux allows 2 MiB for all arguments and the environment, macOS half of it; in bytes. */
const MOST_BYTES = 256 * 1024;

/** Arguments in groups that fit a command line; no group is empty. */
export function* chunked(args: readonly string[]): Generator<readonly string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const arg of args) {
    const size = Buffer.byteLength(arg) + 1;
    if (chunk.length > 0 && bytes + size > MOST_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(arg);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
