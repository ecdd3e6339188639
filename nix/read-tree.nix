let
  inherit (builtins)
    all
    attrNames
    filter
    head
    isAttrs
    isInt
    isList
    length
    listToAttrs
    toJSON
    ;

  inherit (import ./valid.nix)
    gitId
    isBelowFile
    isPath
    isPlainUrl
    matches
    ;
  inherit (import ./percent.nix) encode;
  sriOfHex = import ./sri-of-hex.nix;
  storeNameOf = import ./store-name.nix;

  # Most entries on one page of the Hub.
  pageSize = 1000;

  # What the Hub puts in place of a digest for callers without access.
  mask = "\\*{64}";

  isSize = size: isInt size && size >= 0;

  lfsProblem =
    { lfs, size, ... }:
    if !isAttrs lfs || lfs.size or null != size then
      "has two sizes"
    else if !matches "[0-9a-f]{64}|${mask}" (lfs.oid or null) then
      "has no SHA-256"
    else
      null;

  # What is wrong with a file, or null.
  problemOf =
    file:
    if !isPath (file.path or null) then
      "is not a path inside a repository"
    else if !matches gitId (file.oid or null) then
      "has no git id"
    else if !isSize (file.size or null) then
      "has no size"
    else if file ? lfs then
      lfsProblem file
    else
      null;
in
/**
  The files that the Hub's answer about a tree names, in the form of a lock.

  # Inputs

  `fail`
  : throws an error about the repository

  `entries`
  : the parsed answer

  # Output

  Path → `size`, `oid`, for LFS files `lfs` and `hash`, and `storeName` and `url` where the path itself
  cannot be used. A `hash` that the Hub masks is an error when it is used.

  # Errors

  An answer that is a full page, since another one may follow; an unsafe path, and whatever else no
  tree has.
*/
fail: entries:
let
  isFile = entry: entry.type or null == "file";
  files = filter isFile entries;
  bad = filter (file: problemOf file != null) files;

  byPath = listToAttrs (
    map (
      file@{ path, ... }:
      let
        name = baseNameOf path;
        storeName = storeNameOf path;
      in
      {
        name = path;
        value = {
          inherit (file) oid size;
        }
        // (if file ? lfs then lfsOf file else { })
        // (if storeName == name then { } else { inherit storeName; })
        // (if isPlainUrl path then { } else { url = encode path; });
      }
    ) files
  );
  below = filter (isBelowFile byPath) (attrNames byPath);

  lfsOf =
    { lfs, path, ... }:
    {
      lfs = true;
      hash =
        if matches mask lfs.oid then
          fail
            "it is gated: the Hub masks the digest of ${toJSON path}, since Nix asks without a token"
            "lock it with `nix-hug add`"
        else
          sriOfHex lfs.oid;
    };
in
if !isList entries || !all isAttrs entries then
  fail "the answer is not a list of files" "check the endpoint"
else if length entries >= pageSize then
  fail
    "its tree has ${toString pageSize} entries or more, which the Hub tells on several pages, and one hash pins one page"
    "lock it with `nix-hug add`"
else if bad != [ ] then
  fail "${toJSON ((head bad).path or null)} ${problemOf (head bad)}" "report the repository to the Hub"
else if length (attrNames byPath) != length files then
  fail "its tree names a path twice" "report the repository to the Hub"
else if below != [ ] then
  fail "${toJSON (head below)} lies below a path that is a file" "report the repository to the Hub"
else
  byPath
