{ fetchFile, linkFiles }:
/**
  A model or dataset of a lock, as a derivation: a folder of links to its files.

  # Inputs

  `type`
  : `model` or `dataset`

  `endpoint`
  : the Hub or mirror to download from, without a final slash

  `entry`
  : its place in the lock, for messages: `models.mistral`

  `locked`
  : the entry, checked

  `plain`
  : path → store path, of files that need no download and that nothing has checked. The build
    compares them with their `oid`.

  # Output

  The derivation, with the attributes `repo`, `org` (null for an id of one part), `name`, `rev`,
  `revision` (the same), `ref`, `files` (path → derivation of one file), `blobs` (path → git blob id,
  of the plain files), `entry` and `locked`; for an entry with a `quant` also `gguf` and `mmproj`, the
  paths in its folder of the model, or its first part, and of the projector, null where there is none. `passthru` has them too, and `type`: the `type` of the
  derivation itself is "derivation", as its name may differ from `name`, see `link-files.nix`.
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

  ggufFiles = import ./gguf-files.nix;
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
  }
  // (if locked ? select && locked.select ? quant then mapAttrs inModel (ggufFiles locked) else { });

  # The parts of a split file have to lie beside it.
  inModel = _: path: if path == null then null else "${model}/${path}";
  model = linkFiles { inherit blobs files name; };
in
passthru // model // { inherit passthru; }
