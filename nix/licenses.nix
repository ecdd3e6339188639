let
  inherit (builtins)
    filter
    isString
    listToAttrs
    match
    split
    ;

  toLower = import ./to-lower.nix;

  # The licences of the Hub that SPDX has too. `src/output/spdx.ts` has the same table.
  spdxIds = filter isString (
    split " " "AFL-3.0 AGPL-3.0 Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 etalab-2.0 EUPL-1.1 EUPL-1.2 GPL-2.0 GPL-3.0 ISC LGPL-2.1 LGPL-3.0 LPPL-1.3c MIT MPL-2.0 MS-PL NCSA OFL-1.1 OpenMDW-1.0 OSL-3.0 PostgreSQL Unlicense WTFPL Zlib"
  );
  byHubId = listToAttrs (
    map (id: {
      name = toLower id;
      value = id;
    }) spdxIds
  );

  # Of those in the table, the ones that forbid commercial use or changes are not free.
  isFree = id: match ".*-N[CD](-.*)?" id == null;
in
/**
  The licences of an entry as `meta.license` of nixpkgs has them.

  # Inputs

  `locked`
  : the entry, checked

  # Output

  A list: `{ spdxId; shortName; free; }` for each licence of SPDX, and the id of the Hub as a string
  for every other; for `other` the name that README.md gives it. Empty when it declares none.
*/
locked:
let
  licenseOf =
    id:
    let
      key = toLower id;
    in
    if byHubId ? ${key} then
      rec {
        spdxId = byHubId.${key};
        shortName = key;
        free = isFree spdxId;
      }
    else if key == "other" then
      locked.licenseName or id
    else
      id;
in
map licenseOf (locked.license or [ ])
