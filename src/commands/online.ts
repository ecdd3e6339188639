import { HugError } from '../errors.ts';

/**
 * @param needed what only the Hub can give
 * @throws HugError `EHUG_OFFLINE`
 */
export function assertOnline({ offline }: { readonly offline: boolean }, needed: string): void {
  if (!offline) return;
  throw new HugError('EHUG_OFFLINE', needed, {
    hint: 'Run it without --offline and HF_HUB_OFFLINE.',
  });
}
