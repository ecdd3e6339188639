/**
  Describes an object of a lock, key by key, and checks values against it.

  A shape maps each key to `required` or `optional`, with a predicate and the name of what the
  predicate accepts. Any other key is a problem.
*/
let
  inherit (builtins) attrNames filter head;

  field = isRequired: accepts: name: { inherit accepts isRequired name; };
in
{
  required = field true;
  optional = field false;

  /**
    The first problem of a value, as text, or null: `problemIn shape value`.
  */
  problemIn =
    shape:
    let
      known = attrNames shape;
      required = removeAttrs shape (filter (key: !shape.${key}.isRequired) known);
      problemAt = key: "${key} is not ${shape.${key}.name}";
    in
    value:
    let
      keys = attrNames value;
      missing = removeAttrs required keys;
      unknown = removeAttrs value known;
      wrong = filter (key: !shape.${key}.accepts value.${key}) keys;
    in
    if !builtins.isAttrs value then
      "is not an object"
    else if missing != { } then
      problemAt (head (attrNames missing))
    else if unknown != { } then
      "unknown key ${builtins.toJSON (head (attrNames unknown))}"
    else if wrong != [ ] then
      problemAt (head wrong)
    else
      null;
}
