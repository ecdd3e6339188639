import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { type Grammar, grammarOf } from './grammar.ts';
import type { Shell } from './shells.ts';
import { zshScript } from './zsh.ts';

const SCRIPTS: Readonly<Record<Shell, (grammar: Grammar) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The completion script of a shell, made from the command table. */
export function completionScript(shell: Shell, program: CommandUnknownOpts): string {
  return SCRIPTS[shell](grammarOf(program)).trimEnd();
}
