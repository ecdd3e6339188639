import type { Nix } from '../store/nix.ts';
import type { CommandContext } from './context.ts';

/** A Nix store that can be asked. */
export interface Store {
  readonly nix: Nix;
  /** `/nix/store`, or where else it is. */
  readonly storeFolder: string;
  /** Version of Nix. */
  readonly version: string;
  /** A folder on the disk of the store; `undefined` when the store lies at no path of its own. */
  readonly diskFolder: string | undefined;
}

/** @throws HugError `EHUG_NIX_MISSING`, and others of `Nix` */
export async function openStore({ openNix }: Pick<CommandContext, 'openNix'>): Promise<Store> {
  const nix = await openNix();
  return { nix, ...(await nix.facts()) };
}
