import { readFileSync } from 'node:fs';
import path from 'node:path';

const PAGE = path.join(import.meta.dirname, '..', '..', 'docs', 'troubleshooting.md');

/** Which tests produce the messages of a section. */
export type Source = 'nix-hug' | 'nix' | 'client' | 'loaders';

/** The sections of the page that have messages. A section that is not here fails the tests. */
const SOURCES: Readonly<Record<string, Source>> = {
  'The manifest and the lock': 'nix-hug',
  'The Hub refuses': 'nix-hug',
  'Selections, policy, dependencies': 'nix-hug',
  'Network and disk': 'nix-hug',
  'The store and the cache': 'nix-hug',
  'run and serve': 'nix-hug',
  Nix: 'nix',
  huggingface_hub: 'client',
  'transformers, datasets, llama.cpp': 'loaders',
};

/**
 * The messages of docs/troubleshooting.md, the code spans of first cells, that come from a source.
 *
 * @param page the text to read in place of that page
 */
export function messagesOf(source: Source, page = readFileSync(PAGE, 'utf8')): string[] {
  return page.split(/^## /mu).flatMap((text) => {
    const [section = ''] = text.split('\n', 1);
    const messages = [...text.matchAll(/^\| `(?<message>[^`]+)` \|/gmu)];
    const from = SOURCES[section];
    if (messages.length > 0 && from === undefined) {
      throw new Error(`No test produces the messages of the section "${section}"`);
    }
    return from === source ? messages.map(({ groups }) => groups?.['message'] ?? '') : [];
  });
}

/** A pattern for what a message stands for: `…` is any text of one line. */
export const patternOf = (message: string): RegExp =>
  new RegExp(
    message.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`).replaceAll('…', '.+'),
    'u',
  );
