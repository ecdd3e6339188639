import { EXIT } from '../../errors.ts';
import { fetchJson, type FetchReport, fetchText } from '../fetch/report.ts';
import type { Output } from '../output-schema.ts';
import type { CommandResult } from '../result.ts';
import type { RepoResult } from './repo.ts';

/**
 * What `import` has to tell: for entries alone, and for one repository alone, what `fetch` does; else
 * one after the other.
 *
 * @param report of the entries of the lock
 */
export function importResult(
  report: FetchReport,
  repositories: readonly RepoResult[],
): CommandResult {
  const [only] = repositories;
  if (only === undefined) {
    return { text: fetchText(report), json: fetchJson(report), exitStatus: EXIT.ok };
  }
  const hasEntries = report.entries.length > 0;
  if (!hasEntries && repositories.length === 1) return only;
  const texts = [
    ...(hasEntries ? [fetchText(report)] : []),
    ...repositories.map(({ text }) => text),
  ];
  const json: Output<'import'> = {
    entries: fetchJson(report).entries,
    repositories: repositories.map((repository) => repository.json),
  };
  return { text: texts.join('\n\n'), json, exitStatus: EXIT.ok };
}
