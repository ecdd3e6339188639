let
  inherit (builtins)
    any
    genericClosure
    hashString
    toJSON
    ;

  # Two locks may have different entries at the same place.
  keyOf =
    {
      entry,
      locked,
      overrides,
      ...
    }:
    hashString "sha256" (toJSON [
      entry
      locked
      overrides
    ]);

  itemOf = value: {
    key = keyOf value.passthru;
    inherit value;
  };
in
/**
  Models and datasets with all that they need, directly or through others: first the values themselves,
  then the rest in the order in which it is found. Where something is needed, each is there once.

  # Inputs

  `values`
  : a list of values of `make-model.nix`, whose `passthru.needs` are followed
*/
values:
if any (value: value.passthru.needs != [ ]) values then
  map ({ value, ... }: value) (genericClosure {
    startSet = map itemOf values;
    operator = { value, ... }: map itemOf value.passthru.needs;
  })
else
  values
