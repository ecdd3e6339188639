let
  inherit (builtins) attrNames filter head isAttrs length toJSON;

  inherit (import ../valid.nix)
    gitId
    isBelowFile
    isPath
    matches
    ;
  encodePath = import ../encode-path.nix;
  sriOfHex = import ./sri-of-hex.nix;
  storeNameOf = import ../store-name.nix;

  # The Hub's largest page.
  pageSize = 1000;

  # The Hub puts this in place of a digest when the caller has no access.
  maskedDigest = "\\*{64}";

  # The first problem of a file, or null.
  problemOf =
    file:
    if !isPath (file.path or null) then
      "is not a path inside a repository"
    else if !matches gitId (file.oid or null) then
      "has no git id"
    else if !(builtins.isInt (file.size or null) && file.size >= 0) then
      "has no size"
    else if !(file ? lfs) then
      null
    else if !isAttrs file.lfs || file.lfs.size or null != file.size then
      "has two sizes"
    else if !matches "[0-9a-f]{64}|${maskedDigest}" (file.lfs.oid or null) then
      "has no SHA-256"
    else
      null;
in
/**
  Reads the Hub's answer about a tree into the `files` of a lock entry.

  # Inputs

  `fail`
  : `problem: hint:` → an error about the repository

  `entries`
  : the parsed answer

  # Output

  Path → `size`, `oid`, `storeName`, `url`, and of an LFS file `lfs` and `hash`. Using a `hash` that
  the Hub masks is an error.

  # Errors

  A full page, since another one may follow; an unsafe path, and anything else that no tree has.
*/
fail: entries:
let
  listed = filter (entry: entry.type or null == "file") entries;
  bad = filter (file: problemOf file != null) listed;

  files = builtins.listToAttrs (
    map (file: {
      name = file.path;
      value = {
        inherit (file) oid size;
        storeName = storeNameOf file.path;
        url = encodePath file.path;
      }
      // (
        if file ? lfs then
          {
            lfs = true;
            hash = hashOf file;
          }
        else
          { }
      );
    }) listed
  );
  below = filter (isBelowFile files) (attrNames files);

  hashOf =
    { lfs, path, ... }:
    if matches maskedDigest lfs.oid then
      fail
        "it is gated: the Hub masks the digest of ${toJSON path}, since Nix asks without a token"
        "lock it with `nix-hug add`"
    else
      sriOfHex lfs.oid;
in
if !builtins.isList entries || !builtins.all isAttrs entries then
  fail "the answer is not a list of files" "check the endpoint"
else if length entries >= pageSize then
  fail
    "its tree has ${toString pageSize} entries or more; the Hub splits it into several pages, and fileTreeHash pins one page"
    "lock it with `nix-hug add`"
else if bad != [ ] then
  fail
    "${toJSON ((head bad).path or null)} ${problemOf (head bad)}"
    "report the repository to the Hub"
else if length (attrNames files) != length listed then
  fail "its tree names a path twice" "report the repository to the Hub"
else if below != [ ] then
  fail "${toJSON (head below)} lies below a path that is a file" "report the repository to the Hub"
else
  files
