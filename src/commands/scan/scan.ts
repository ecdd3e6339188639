import { scanCache } from '../../cache/scan/scan.ts';
import { EXIT, HugError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import type { CommandResult } from '../result.ts';
import { openStore } from '../store.ts';
import { scanJson, type ScanReport } from './report.ts';
import { scanText } from './report-text.ts';
import { storedRevisions } from './stored.ts';

/** What `scan` needs from outside. */
export type ScanContext = Pick<
  CommandContext,
  'cacheFolder' | 'openScanIndex' | 'openNix' | 'signal' | 'warn'
>;

/**
 * `nix-hug scan`: what is in the Hugging Face cache, what of it is in the Nix store, and what is odd.
 * Oddities are results, not failures. Without Nix it is not known what is in the store.
 */
export async function run(context: ScanContext): Promise<CommandResult> {
  const { cacheFolder, signal } = context;
  const [scan, store] = await Promise.all([
    context.openScanIndex().then((index) => scanCache(cacheFolder, signal, index)),
    askNix(() => openStore(context), context),
  ]);
  const stored = await askNix(async () => {
    return store === undefined ? undefined : await storedRevisions(scan.repos, store, signal);
  }, context);
  const report: ScanReport = { cacheFolder, scan, isStored: (revision) => stored?.get(revision) };
  return {
    get json() {
      return scanJson(report);
    },
    text: (columns) => scanText(report, columns),
    exitStatus: EXIT.ok,
  };
}

/** Nix's answer; `undefined` where there is no Nix, or none that works. */
async function askNix<T>(ask: () => Promise<T>, { warn }: ScanContext): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code === 'EHUG_NIX') warn([error.message, ...error.details].join('\n'));
    else if (error.code !== 'EHUG_NIX_MISSING') throw error;
    return undefined;
  }
}
