/**
  The entries of a lock that satisfy what another one needs: the declared models that are asked for under
  the same id and ref, else the entry of `needed`, else none. `createNeedIndex` of `src/lock/needs.ts` has
  the same rule.

  # Inputs

  `locked`
  : entry name → model of the lock, checked

  `models`, `needed`
  : entry name → any value of a model, and of what entries need

  # Output

  A function from an entry to those values that it needs itself, in the order of its `needs`. It looks at
  the lock only when the entry needs something.
*/
{
  locked,
  models,
  needed,
}:
let
  inherit (builtins) attrNames concatMap groupBy;

  asked = { repo, ref, ... }@entry: "${entry.requested or repo}@${ref}";
  declared = groupBy (name: asked locked.${name}) (attrNames locked);
  satisfying =
    { repo, ref, ... }:
    let
      key = "${repo}@${ref}";
    in
    if declared ? ${key} then
      map (name: models.${name}) declared.${key}
    else if needed ? "models/${key}" then
      [ needed."models/${key}" ]
    else
      [ ];
in
entry: concatMap satisfying (entry.needs or [ ])
