# The module system of nixpkgs as far as the modules of nix-hug, and a test of them, use it:
# options are declared with types, definitions are merged by the types, conditions are obeyed, and
# what nobody declared or has the wrong type stops the evaluation. No priorities, no submodules of
# several options with the same name.
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    filter
    foldl'
    head
    isAttrs
    isBool
    isFunction
    isList
    isPath
    isString
    mapAttrs
    map
    substring
    ;

  isOption = value: isAttrs value && value._type or null == "option";
  isIf = value: isAttrs value && value._type or null == "if";

  # A definition without its conditions; none when one of them is false.
  discharge =
    definition:
    if isIf definition then
      (if definition.condition then discharge definition.content else [ ])
    else
      [ definition ];

  only =
    path: values:
    if all (value: value == head values) values then
      head values
    else
      throw "The option `${path}' has conflicting definition values";

  simple = name: check: {
    inherit name check;
    merge = only;
  };

  # Definitions by attribute name; conditions move inward, so that names are known without them.
  byName =
    definitions:
    let
      pushed = concatMap (
        definition:
        if isIf definition then
          map (inner: mapAttrs (_name: content: mkIf definition.condition content) inner) (
            openIf definition.content
          )
        else
          [ definition ]
      ) definitions;
      openIf = content: if isIf content then map (mapAttrs (_name: mkIf content.condition)) (openIf content.content) else [ content ];
      names = concatMap attrNames pushed;
    in
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = map (definition: definition.${name}) (
          filter (definition: definition ? ${name}) pushed
        );
      }) names
    );

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };

  mergeOption =
    path: option: definitions:
    let
      values = concatMap discharge definitions;
      wrong = filter (value: !option.type.check value) values;
    in
    if wrong != [ ] then
      throw "A definition for option `${path}' is not of type `${option.type.name}'"
    else if option.readOnly or false && values != [ ] then
      throw "The option `${path}' is read-only, but it's set multiple times"
    else if values != [ ] then
      option.type.merge path values
    else if option ? default then
      option.default
    else
      throw "The option `${path}' was accessed but has no value defined. Try setting the option.";

  mergeTree =
    path: options: definitions:
    let
      named = byName definitions;
      unknown = filter (name: !options ? ${name}) (attrNames named);
    in
    if unknown != [ ] then
      throw "The option `${path}${head unknown}' does not exist."
    else
      mapAttrs (
        name: option:
        if isOption option then
          mergeOption "${path}${name}" option (named.${name} or [ ])
        else
          mergeTree "${path}${name}." option (named.${name} or [ ])
      ) options;

  mergeOptions =
    one: other:
    one
    // mapAttrs (
      name: option:
      if !one ? ${name} then
        option
      else if isOption option || isOption one.${name} then
        throw "The option `${name}' is already declared"
      else
        mergeOptions one.${name} option
    ) other;

  evalModules =
    {
      modules,
      specialArgs ? { },
    }:
    let
      load =
        module:
        let
          content = if isPath module || isString module then import module else module;
          called =
            if isFunction content then content ({ inherit config options; } // specialArgs) else content;
          bare = removeAttrs called [ "imports" ];
          isLong = called ? options || called ? config;
        in
        concatMap load (called.imports or [ ])
        ++ [
          {
            options = called.options or { };
            config = if isLong then called.config or { } else bare;
          }
        ];
      loaded = concatMap load modules;
      options = foldl' mergeOptions { } (map (module: module.options) loaded);
      config = mergeTree "" options (map (module: module.config) loaded);
    in
    {
      inherit config options;
    };

  types = {
    bool = simple "boolean" isBool;
    str = simple "string" isString;
    package = simple "package" (value: isAttrs value && value.type or null == "derivation");
    path = simple "absolute path" (
      value: isPath value || (isString value && substring 0 1 value == "/")
    );
    listOf = element: {
      name = "list of ${element.name}";
      check = value: isList value && all element.check value;
      merge = _path: concatLists;
    };
    attrsOf = element: {
      name = "attribute set of ${element.name}";
      check = isAttrs;
      merge =
        path: definitions:
        mapAttrs (
          name: values:
          mergeOption "${path}.${name}" {
            type = element;
          } values
        ) (byName definitions);
    };
    submodule = module: {
      name = "submodule";
      check = isAttrs;
      merge = _path: definitions: (evalModules { modules = [ module ] ++ map (config: { inherit config; }) definitions; }).config;
    };
  };
in
{
  inherit evalModules mkIf types;
  mkOption = attributes: { _type = "option"; } // attributes;
  mkEnableOption = name: {
    _type = "option";
    default = false;
    example = true;
    description = "Whether to enable ${name}.";
    type = types.bool;
  };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
}
