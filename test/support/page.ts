/** A block of code of a page. */
export interface CodeBlock {
  readonly language: string;
  /** Without the fences, and without their indentation. */
  readonly code: string;
  /** The heading above it, without `#`; empty above the first. */
  readonly section: string;
}

/** The fenced blocks of a page in Markdown, in their order. */
export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let section = '';
  let open: { readonly language: string; readonly indent: string; lines: string[] } | undefined;
  for (const line of page.split('\n')) {
    const fence = /^(?<indent> *)```(?<language>\w*)$/u.exec(line)?.groups;
    if (open === undefined) {
      section = /^#+ (?<title>.+)$/u.exec(line)?.groups?.['title'] ?? section;
      if (fence !== undefined) {
        open = { language: fence['language'] ?? '', indent: fence['indent'] ?? '', lines: [] };
      }
    } else if (fence?.['language'] === '') {
      const { language, lines } = open;
      blocks.push({ language, section, code: lines.map((each) => `${each}\n`).join('') });
      open = undefined;
    } else {
      const { indent } = open;
      open.lines.push(line.startsWith(indent) ? line.slice(indent.length) : line);
    }
  }
  return blocks;
}
