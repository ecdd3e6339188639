/**
 * The licences of the Hub (huggingface.co/docs/hub/repositories-licenses) that SPDX has too, in the
 * spelling of SPDX. The Hub writes their ids in lower case. `nix/licenses.nix` has the same table.
 */
const SPDX_IDS = [
  'AFL-3.0',
  'AGPL-3.0',
  'Apache-2.0',
  'Artistic-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSD-3-Clause-Clear',
  'BSL-1.0',
  'CC-BY-2.0',
  'CC-BY-2.5',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC-BY-NC-2.0',
  'CC-BY-NC-3.0',
  'CC-BY-NC-4.0',
  'CC-BY-NC-ND-3.0',
  'CC-BY-NC-ND-4.0',
  'CC-BY-NC-SA-2.0',
  'CC-BY-NC-SA-3.0',
  'CC-BY-NC-SA-4.0',
  'CC-BY-ND-4.0',
  'CC-BY-SA-3.0',
  'CC-BY-SA-4.0',
  'CC0-1.0',
  'CDLA-Permissive-1.0',
  'CDLA-Permissive-2.0',
  'CDLA-Sharing-1.0',
  'ECL-2.0',
  'EPL-1.0',
  'EPL-2.0',
  'etalab-2.0',
  'EUPL-1.1',
  'EUPL-1.2',
  'GPL-2.0',
  'GPL-3.0',
  'ISC',
  'LGPL-2.1',
  'LGPL-3.0',
  'LPPL-1.3c',
  'MIT',
  'MPL-2.0',
  'MS-PL',
  'NCSA',
  'OFL-1.1',
  'OpenMDW-1.0',
  'OSL-3.0',
  'PostgreSQL',
  'Unlicense',
  'WTFPL',
  'Zlib',
];

const BY_HUB_ID: ReadonlyMap<string, string> = new Map(
  SPDX_IDS.map((id) => [id.toLowerCase(), id]),
);

/**
 * The SPDX id of a licence.
 *
 * @param license as a README declares it, in any case
 * @returns `undefined` for a licence that is not one of SPDX, as `llama3` and `other`
 */
export const spdxIdOf = (license: string): string | undefined =>
  BY_HUB_ID.get(license.toLowerCase());
