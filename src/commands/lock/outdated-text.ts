import type { Pin } from '../../lock/diff.ts';
import { placeOf } from '../../lock/entries.ts';
import type { Output } from '../output-schema.ts';
import { shortRev } from '../short-rev.ts';
import { table } from '../table.ts';

const HEAD = ['entry', 'locked', 'wanted', 'latest'];

/** A row for each entry that is outdated, or that something newer exists of. */
export async function outdatedText(
  { entries }: Output<'outdated'>,
  columns?: number,
): Promise<string> {
  const rows = entries.flatMap((entry) => {
    const { locked, wanted, latest, outdated } = entry;
    if (wanted === null || latest === null) return [];
    if (outdated === false && latest.rev === wanted.rev) return [];
    return [
      [
        placeOf(entry),
        locked === null ? 'not locked' : pinText(locked),
        pinText(wanted),
        pinText(latest),
      ],
    ];
  });
  if (rows.length > 0) return (await table([HEAD, ...rows], [], columns)).join('\n');
  return entries.some(({ error }) => error !== undefined) ? '' : 'everything is up to date';
}

/** A commit as people tell it apart: `v1.2.0 c170c708c41d`. */
function pinText({ ref, rev }: Pin): string {
  const commit = shortRev(rev);
  return ref === rev ? commit : `${ref} ${commit}`;
}
