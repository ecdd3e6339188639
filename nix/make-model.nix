{ fetchFile, linkFiles }:
/**
  A model or dataset: a derivation of a folder with links to its files, and what the lock says.

  # Inputs

  `type`
  : `model` or `dataset`

  `endpoint`
  : where its files are downloaded from, without a final slash

  `entry`
  : its place in the lock, for messages: `models.mistral`

  `locked`
  : the checked entry

  `plain`
  : path → store path, of files that need no download; they are compared with their `oid` when the
    model is built

  # Output

  The derivation with the attributes `repo`, `org` (null for an id of one part), `name`, `rev`,
  `revision` (the same), `ref`, `files` (path → derivation of that file), `blobs`
  (path → git blob id, of the plain ones), `entry` and `locked`.
  They are in `passthru` as well, together with `type`; the derivation's own `type` is what makes
  Nix take it for a derivation, and its own `name` is a `_` longer than that of a repository `x.drv`,
  see `link-files.nix`.
*/
{
  type,
  endpoint,
  entry,
  locked,
  plain ? { },
}:
let
  inherit (builtins) baseNameOf dirOf mapAttrs;
  inherit (locked) repo rev ref;

  name = baseNameOf repo;
  prefix = if type == "dataset" then "datasets/" else "";
  address = "${endpoint}/${prefix}${repo}/resolve/${rev}/";

  files = mapAttrs (
    path: file:
    fetchFile {
      name = file.storeName or (baseNameOf path);
      url = address + file.url or path;
      inherit (file) hash;
    }
  ) locked.files
  // plain;
  blobs = mapAttrs (path: _: locked.files.${path}.oid) plain;

  passthru = {
    inherit
      blobs
      entry
      files
      locked
      name
      ref
      repo
      rev
      type
      ;
    org = if name == repo then null else dirOf repo;
    revision = rev;
  };
in
passthru // linkFiles { inherit blobs files name; } // { inherit passthru; }
