import { commandsPage } from './commands-page.ts';
import { errorsPage } from './errors-page.ts';

/** The files of `docs/` that are generated, with the text that each must have. */
export const PAGES: Readonly<Record<string, string>> = {
  'commands.md': commandsPage(),
  'errors.md': errorsPage(),
};
