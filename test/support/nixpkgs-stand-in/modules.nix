# A small part of nixpkgs' module system: options with defaults, conditions, and the errors of an option
# that does not exist, has no value, has a wrong type or is read-only. Definitions are merged by what
# they are: sets by name, lists in order, anything else must be equal. Modules declare options under
# different first names, and have no priorities.
with builtins;
let
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  isIf = definition: definition._type or null == "if";

  # The definition without its conditions; none when one is false.
  discharge =
    definition:
    if !isIf definition then
      [ definition ]
    else if definition.condition then
      discharge definition.content
    else
      [ ];

  # Conditions move to the values, so that names are known without them.
  pushDown =
    definition:
    if isIf definition then
      mapAttrs (_name: mkIf definition.condition) (pushDown definition.content)
    else
      definition;

  mergeOptions =
    prefix: options: definitions:
    let
      defined = zipAttrsWith (_name: values: values) (map pushDown definitions);
      unknown = attrNames (removeAttrs defined (attrNames options));
    in
    if unknown != [ ] then
      throw "The option `${prefix}${head unknown}' does not exist."
    else
      mapAttrs (
        name: option:
        if option._type or null == "option" then
          mergeOption "${prefix}${name}" option (defined.${name} or [ ])
        else
          mergeOptions "${prefix}${name}." option (defined.${name} or [ ])
      ) options;

  mergeOption =
    path: option: definitions:
    let
      values = concatMap discharge definitions;
    in
    if !all option.type.check values then
      throw "A definition for option `${path}' is not of type `${option.type.name}'."
    else if option.readOnly or false && values != [ ] then
      throw "The option `${path}' is read-only, but it's set multiple times."
    else if values != [ ] then
      mergeValues path values
    else
      option.default or (throw "The option `${path}' was accessed but has no value defined.");

  mergeValues =
    path: definitions:
    let
      values = concatMap discharge definitions;
      isSet = value: isAttrs value && !isPackage value;
    in
    if all isSet values then
      zipAttrsWith (name: mergeValues "${path}.${name}") values
    else if all isList values then
      concatLists values
    else if all (value: value == head values) values then
      head values
    else
      throw "The option `${path}' has conflicting definition values.";

  type = name: check: { inherit name check; };
  isPackage = value: value.type or null == "derivation";
in
rec {
  inherit mkIf;

  types = {
    bool = type "boolean" isBool;
    str = type "string" isString;
    package = type "package" isPackage;
    path = type "absolute path" (value: isPath value || isString value && match "/.*" value != null);
    listOf = element: type "list of ${element.name}" (value: isList value && all element.check value);
    nullOr = element: type "null or ${element.name}" (value: value == null || element.check value);
    attrsOf =
      element:
      type "attribute set of ${element.name}" (
        value: isAttrs value && all element.check (attrValues value)
      );
    submodule =
      { options, ... }:
      type "submodule" (value: isAttrs value && removeAttrs value (attrNames options) == { });
  };

  mkOption = attributes: { _type = "option"; } // attributes;
  mkEnableOption =
    name:
    mkOption {
      default = false;
      description = "Whether to enable ${name}.";
      type = types.bool;
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };

  evalModules =
    { modules, specialArgs }:
    let
      load =
        module:
        if isPath module then
          load (import module)
        else if isFunction module then
          load (module (specialArgs // { inherit config; }))
        else
          [ module ] ++ concatMap load (module.imports or [ ]);
      loaded = concatMap load modules;
      bare =
        module:
        removeAttrs module [
          "imports"
          "options"
        ];
      options = foldl' (merged: module: merged // module.options or { }) { } loaded;
      config = mergeOptions "" options (map (module: module.config or (bare module)) loaded);
    in
    {
      inherit config;
    };
}
