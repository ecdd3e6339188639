let
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    baseNameOf
    concatLists
    dirOf
    elem
    filter
    groupBy
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    length
    lessThan
    mapAttrs
    match
    stringLength
    substring
    toJSON
    zipAttrsWith
    ;

  inherit (import ./valid.nix)
    gitId
    isBelowFile
    isPath
    isPlainUrl
    isRepo
    isStoreName
    isUrl
    longestStoreName
    matches
    sri
    ;

  inherit (import ./percent.nix) encode;
  storeNameOf = import ./store-name.nix;

  # Names that need neither a storeName nor a url, if they are short: none ends in `.drv`. And folders
  # that have neither "." nor ".." in them, and need no url.
  plainName = "[A-Za-z0-9_-][A-Za-z0-9._-]*([A-Za-uw-z0-9_-]|[A-Za-qs-z0-9_-]v)";
  plainFolder = "[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*";

  allMatch = pattern: values: all isString values && !elem null (map (match pattern) values);

  isSelect =
    select:
    isAttrs select
    && all (values: isList values && values != [ ] && all isString values) (attrValues select)
    && all isPath (select.files or [ ])
    && removeAttrs select selectKeys == { };

  entryKeys = [
    "repo"
    "requested"
    "ref"
    "version"
    "rev"
    "select"
    "files"
  ];
  selectKeys = [
    "include"
    "exclude"
    "files"
  ];
  fileKeys = [
    "size"
    "hash"
    "oid"
    "lfs"
    "storeName"
    "url"
  ];

  # The functions below return what is wrong, or null.

  entryProblem =
    name: entry:
    if !matches "[A-Za-z_][A-Za-z0-9_-]*" name then
      "is not an entry name"
    else if !isAttrs entry then
      "is not an object"
    else if !isRepo (entry.repo or null) then
      "repo is not a repository id"
    else if entry ? requested && !isRepo entry.requested then
      "requested is not a repository id"
    else if !(entry ? ref && (entry.ref == "main" || isPath entry.ref)) then
      "ref is not a branch, tag or commit"
    else if entry ? version && !isString entry.version then
      "version is not a string"
    else if !matches gitId (entry.rev or null) then
      "rev is not a commit of 40 hex digits"
    else if entry ? select && !isSelect entry.select then
      "select is not a selection of files"
    else if !isAttrs (entry.files or null) then
      "files is not an object"
    else if removeAttrs entry entryKeys != { } then
      "unknown key ${toJSON (head (attrNames (removeAttrs entry entryKeys)))}"
    else
      filesProblem entry.files;

  # A lock has many files. So their values are checked by column and their paths by folder, with
  # builtins over whole lists. Only what that leaves open is looked at alone.
  filesProblem =
    files:
    let
      paths = attrNames files;
      columns = columnsOf files;
      hasNames = columns ? storeName || columns ? url;
      open = concatLists (attrValues (mapAttrs (openIn files hasNames) (groupBy dirOf paths)));
      valuesProblem = path: columnsProblem 1 (columnsOf { ${path} = files.${path}; });
      firstOf =
        problemAt: candidates:
        let
          bad = filter (path: problemAt path != null) candidates;
        in
        if bad == [ ] then null else "files.${toJSON (head bad)}: ${problemAt (head bad)}";
    in
    # Nix 2.8 cuts a name at a NUL character, and then has no such file.
    if removeAttrs files paths != { } then
      "files has a path with a NUL character"
    else if !all isAttrs (attrValues files) then
      firstOf (path: if isAttrs files.${path} then null else "is not an object") paths
    else if columnsProblem (length paths) columns != null then
      firstOf valuesProblem paths
    else
      firstOf (pathProblem files) open;

  # Which paths of a folder are not plain, or come with a storeName or a url.
  openIn =
    files: hasNames: folder: paths:
    let
      isNamed = path: files.${path} ? storeName || files.${path} ? url;
      isPlainFolder =
        folder == "."
        || stringLength folder <= longestStoreName
        && match plainFolder folder != null
        && !isBelowFile files (head paths);
      # Not `baseNameOf`, which passes over a slash at the end. One character more than a name may have.
      nameOf = substring (if folder == "." then 0 else stringLength folder + 1) (longestStoreName + 1);
      arePlain =
        names: allMatch plainName names && !any (lessThan longestStoreName) (map stringLength names);
    in
    if !isPlainFolder then
      paths
    else if !hasNames && arePlain (map nameOf paths) then
      [ ]
    else
      filter (path: isNamed path || !arePlain [ (nameOf path) ]) paths;

  columnsOf = files: zipAttrsWith (_: values: values) (attrValues files);

  # `count` is the number of files.
  columnsProblem =
    count: columns:
    let
      optional = key: accept: accept (columns.${key} or [ ]);
      required = key: accept: optional key (values: length values == count && accept values);
    in
    if !required "size" (sizes: all isInt sizes && all (lessThan (-1)) sizes) then
      "size is not a number of bytes"
    else if !required "hash" (allMatch sri) then
      "hash is not a SHA-256 in SRI form"
    else if !required "oid" (allMatch gitId) then
      "oid is not a git id of 40 hex digits"
    else if !optional "lfs" (values: all isBool values && !elem false values) then
      "lfs is not true"
    else if !optional "storeName" (all isStoreName) then
      "storeName is not a name of a store path"
    else if !optional "url" (all isUrl) then
      "url is not a percent-encoded path"
    else if removeAttrs columns fileKeys != { } then
      "unknown key ${toJSON (head (attrNames (removeAttrs columns fileKeys)))}"
    else
      null;

  pathProblem =
    files: path:
    if !isPath path then
      "is not a path inside the repository"
    else if isBelowFile files path then
      "lies below a path that is a file"
    else
      namesProblem path files.${path};

  namesProblem =
    path: file:
    let
      storeName = nameProblem "storeName" (baseNameOf path) (storeNameOf path) file;
      url = nameProblem "url" path (if isPlainUrl path then path else encode path) file;
    in
    if storeName != null then storeName else url;

  # A name that follows from the path is there when it differs from what it stands in for.
  nameProblem =
    key: plain: name: file:
    if file.${key} or plain == name && (file ? ${key}) == (name != plain) then
      null
    else if name == plain then
      "needs no ${key}"
    else if file ? ${key} then
      "${key} is not ${toJSON name}"
    else
      "needs a ${key}";
in
/**
  Checks one entry of a lock.

  # Inputs

  `section`
  : `models` or `datasets`, for the message

  `name`
  : name of the entry

  `entry`
  : what the lock says

  # Output

  `entry`.

  # Errors

  The first thing that is wrong, with the place.
*/
section: name: entry:
let
  problem = entryProblem name entry;
in
if problem == null then
  entry
else
  throw "nix-hug: hug.lock.json: ${section}.${name}: ${problem}; restore the lock from version control, or delete it and run `nix-hug lock`"
