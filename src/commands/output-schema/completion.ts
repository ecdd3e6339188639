import { document, oneOf, text } from './fields.ts';

/** What `completion` prints. */
export const COMPLETION = {
  completion: document('nix-hug completion --json', 'A completion script.', {
    shell: oneOf(['bash', 'zsh', 'fish'], 'The shell it is for.'),
    script: text('What the shell has to read.'),
  }),
};
