import { HugError } from '../errors.ts';
import { isRepoId, parseRepoForm, type RepoForm } from '../repo.ts';
import type { NameForm } from './calls.ts';
import { BASIC_MODELS } from './sentence-transformers.ts';

/** Builders of `datasets`, which read files and have no repository (`datasets.packaged_modules`). */
const BUILDERS = new Set(
  (
    'csv json pandas parquet arrow text conll imagefolder audiofolder videofolder meshfolder pdffolder ' +
    'niftifolder webdataset xml hdf5 eval lance tsfile iceberg vortex sql generator spark cache'
  ).split(' '),
);

/** What a call loads from where `hf-hub:` stands before an id, with or without a revision behind it. */
const HUB_PREFIX = /^hf[-_]hub:(?<id>[^@]+)(?:@(?<ref>.+))?$/u;

const READERS: Readonly<Record<NameForm, (text: string) => RepoForm | undefined>> = {
  id: byId,
  dataset: (text) => (BUILDERS.has(text) ? undefined : byId(text)),
  'sentence-transformers': (text) =>
    byId(
      text.includes('/') || BASIC_MODELS.has(text.toLowerCase())
        ? text
        : `sentence-transformers/${text}`,
    ),
  'hub-prefix': (text) => {
    const { id = '', ref } = HUB_PREFIX.exec(text)?.groups ?? {};
    const form = byId(id);
    return form === undefined || ref === undefined ? form : { ...form, ref };
  },
  address: byAddress,
};

/** The repository that a text names; `undefined` where it is a path, or the name of something else. */
export const readName = (text: string, form: NameForm): RepoForm | undefined => READERS[form](text);

/** The repository of an address on the Hub; `undefined` for every other text. */
export function byAddress(text: string): RepoForm | undefined {
  if (!/^(?:https?|hf):\/\//u.test(text)) return undefined;
  try {
    return parseRepoForm(text);
  } catch (error) {
    if (error instanceof HugError) return undefined;
    throw error;
  }
}

/** No organisation has these names: `models/bert` is a folder. */
function byId(text: string): RepoForm | undefined {
  return isRepoId(text) && !/^(?:models|datasets|spaces)\//u.test(text) ? { id: text } : undefined;
}
