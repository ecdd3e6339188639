/**
  Describes an object of JSON, key by key, and checks values against it.

  A shape is a set: key → `required` or `optional`, with a predicate and the name of what it accepts.
  Any other key is a problem.
*/
let
  inherit (builtins)
    attrNames
    filter
    head
    isAttrs
    toJSON
    ;

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
        key: if shape ? ${key} then "${key} is not ${shape.${key}.name}" else "unknown key ${toJSON key}";
    in
    value:
    let
      isWrong = key: !(shape ? ${key} && shape.${key}.accepts value.${key});
      wrong = filter (key: !(value ? ${key})) needed ++ filter isWrong (attrNames value);
    in
    if !isAttrs value then
      "is not an object"
    else if wrong != [ ] then
      problemAt (head wrong)
    else
      null;
}
