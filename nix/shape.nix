/**
  Describes an object of a lock, key by key, and checks values against it.

  A shape maps each key to `required` or `optional`, with a predicate and the name of what the
  predicate accepts. Any other key is a problem.
*/
let
  inherit (builtins) attrNames filter;

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
      needed = filter (key: shape.${key}.isRequired) (attrNames shape);
      problemAt =
        key:
        if shape ? ${key} then
          "${key} is not ${shape.${key}.name}"
        else
          "unknown key ${builtins.toJSON key}";
    in
    value:
    let
      isWrong = key: !(shape ? ${key} && shape.${key}.accepts value.${key});
      wrong = filter (key: !(value ? ${key})) needed ++ filter isWrong (attrNames value);
    in
    if !builtins.isAttrs value then
      "is not an object"
    else if wrong != [ ] then
      problemAt (builtins.head wrong)
    else
      null;
}
