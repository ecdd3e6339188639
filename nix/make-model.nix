{
  fetchFile,
  inLanes,
  linkFiles,
}:
/**
  A model or dataset of a lock, as a derivation: a folder of links to its files.

  # Inputs

  `type`
  : `model` or `dataset`

  `endpoint`
  : the Hub or mirror to download from, without a final slash

  `source`
  : the Hub that the lock names, whichever mirror its files come from

  `entry`
  : its place in the lock, for messages: `models.mistral`

  `locked`
  : the entry, checked

  `plain`
  : path → store path, of files that need no download and that nothing has checked. The build
    compares them with their `oid`.

  `overrides`
  : path → path or derivation, of files that the user adds, or puts in place of locked ones

  `needs`
  : the models that the entry itself needs, as values of this function

  # Output

  The derivation, with the attributes `repo`, `org` (null for an id of one part), `name`, `rev`,
  `revision` (the same), `ref`, `files` (path → derivation of one file), `blobs` (path → git blob id,
  of the plain files), `entry` and `locked`; for an entry with a `quant` also `gguf` and `mmproj`, the
  paths in its folder of the model, or its first part, and of the projector, null where there is none.
  From the lock also `license` (the list of README.md, empty for none), `size` of all locked files and
  `weightSize` of those that `weight-format.nix` knows, in bytes, and `purl`, see `purl.nix`.
  `passthru` has them too, and `type`: the `type` of the derivation itself is "derivation", as its name
  may differ from `name`, see `link-files.nix`.

  `meta` is beside the derivation: nixpkgs checks the licences of what `mkDerivation` makes, and a model
  must not fail there.

  `passthru.requests` are the arguments of `fetchFile` for each file that is downloaded, and
  `passthru.overrides` and `passthru.needs` are those of the call.
*/
{
  type,
  endpoint,
  source ? endpoint,
  entry,
  locked,
  plain ? { },
  overrides ? { },
  needs ? [ ],
}:
let
  inherit (builtins)
    attrNames
    baseNameOf
    dirOf
    filter
    foldl'
    mapAttrs
    ;

  ggufFiles = import ./gguf-files.nix;
  licensesOf = import ./licenses.nix;
  purlOf = import ./purl.nix;
  weightFormat = import ./weight-format.nix;
  inherit (locked) repo rev ref;

  name = baseNameOf repo;
  prefix = if type == "dataset" then "datasets/" else "";
  address = "${endpoint}/${prefix}${repo}/resolve/${rev}/";

  requestFor = path: file: {
    inherit entry path;
    inherit (file) hash;
    name = file.storeName or (baseNameOf path);
    url = address + file.url or path;
  };
  given = plain // overrides;
  downloaded = if given == { } then locked.files else removeAttrs locked.files (attrNames given);
  requests = mapAttrs requestFor downloaded;
  files = mapAttrs (path: file: fetchFile (requestFor path file)) downloaded // given;
  laned = inLanes requests;
  blobs = mapAttrs (path: _: locked.files.${path}.oid) plain;

  paths = attrNames locked.files;
  sizeOf = foldl' (sum: path: sum + locked.files.${path}.size) 0;
  licenses = licensesOf locked;

  passthru = {
    inherit
      blobs
      entry
      files
      locked
      name
      needs
      overrides
      ref
      repo
      requests
      rev
      type
      ;
    org = if name == repo then null else dirOf repo;
    revision = rev;
    license = locked.license or [ ];
    size = sizeOf paths;
    weightSize = sizeOf (filter (path: weightFormat path != null) paths);
    purl = purlOf {
      inherit
        repo
        rev
        source
        type
        ;
    };
  }
  // (if locked ? select && locked.select ? quant then mapAttrs inModel (ggufFiles locked) else { });

  # The parts of a split file have to lie beside it.
  inModel = _: path: if path == null then null else "${model}/${path}";
  model = linkFiles {
    inherit blobs name;
    files = if laned == null then files else files // laned;
  };
  meta = {
    description = "Hugging Face ${type} ${repo} at ${ref}";
    homepage = "${source}/${prefix}${repo}";
  }
  // (if licenses == [ ] then { } else { license = licenses; });
in
passthru // model // { inherit meta passthru; }
