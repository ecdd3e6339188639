/** A text by its lines, for changes that leave every other byte as it is. Lines count from 0. */
export class Lines {
  readonly text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.text = text;
    this.#starts = [0, ...[...text.matchAll(/\n/gu)].map(({ index }) => index + 1)];
  }

  /** The line that an offset is in. */
  at(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.start(middle) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Offset of the first character of a line; beyond the last line, the length of the text. */
  start(line: number): number {
    return this.#starts[line] ?? this.text.length;
  }

  /** Characters before an offset in its line. */
  column(offset: number): number {
    return offset - this.start(this.at(offset));
  }

  /** A line without its end of line. */
  content(line: number): string {
    return this.text.slice(this.start(line), this.start(line + 1)).replace(/\r?\n$/u, '');
  }

  isBlank(line: number): boolean {
    return this.content(line).trim() === '';
  }

  /** Where the comment of a line that holds nothing else begins; -1 when it is not such a line. */
  commentColumn(line: number): number {
    return /^\s*#/u.test(this.content(line)) ? this.content(line).indexOf('#') : -1;
  }

  /** The text with more lines after a line; -1 puts them first. */
  withAfter(line: number, added: readonly string[]): string {
    const at = this.start(line + 1);
    const before = this.text.slice(0, at);
    const end = (/\r?\n$/u.exec(before) ?? /\r?\n/u.exec(this.text) ?? ['\n'])[0];
    const lines =
      before === '' || before.endsWith('\n')
        ? added.map((content) => content + end)
        : added.map((content) => end + content);
    return before + lines.join('') + this.text.slice(at);
  }

  /** The text without the lines `from` to `to`. A text without a final newline stays one. */
  without(from: number, to: number): string {
    const rest = this.text.slice(this.start(to + 1));
    const before = this.text.slice(0, this.start(from));
    const open = rest === '' && !this.text.endsWith('\n');
    return (open ? before.replace(/\r?\n$/u, '') : before) + rest;
  }
}
