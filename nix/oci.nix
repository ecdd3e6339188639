{ linkFiles }:
let
  inherit (builtins)
    filter
    hashString
    head
    listToAttrs
    stringLength
    tail
    toFile
    toJSON
    ;

  inherit (import ./valid.nix) matches;
  layersOf = import ./oci-layers.nix;
  weightFormat = import ./weight-format.nix;

  # Names of the formats where the specification has others.
  formatNames = {
    pytorch = "pt";
  };

  # The only format of the weights, or null.
  formatOf =
    layers:
    let
      weights = filter ({ kind, ... }: kind == "weight") layers;
      formats = filter (format: format != null) (map ({ path, ... }: weightFormat path) weights);
      first = head formats;
    in
    if formats == [ ] || filter (format: format != first) (tail formats) != [ ] then
      null
    else
      formatNames.${first} or first;

  # A JSON document as a blob.
  document = value: rec {
    text = toJSON value;
    digest = hashString "sha256" text;
    size = stringLength text;
  };

  descriptor = mediaType: blob: {
    inherit mediaType;
    digest = "sha256:${blob.digest}";
    inherit (blob) size;
  };
  ofModel = kind: "application/vnd.cncf.model.${kind}";
  manifestType = "application/vnd.oci.image.manifest.v1+json";

  blobPath = { digest, ... }: "blobs/sha256/${digest}";
  isTag = matches "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
in
/**
  An OCI image layout of a model or dataset, made of links: an artifact of the CNCF ModelPack
  specification, with one raw layer for each file, whose digest is the one in the lock. skopeo and oras
  copy it to a registry.

  # Inputs

  `model`
  : a value of `make-model.nix`

  # Output

  The layout as a derivation, with the attribute `digest`, `sha256:` and 64 hex digits: that of the manifest,
  which every version of Nix computes alike. Its tag is the ref of the entry, or the commit where a ref is
  no tag.

  # Errors

  Those of `oci-layers.nix`, and an entry without files.
*/
model:
let
  inherit (model.passthru)
    entry
    locked
    name
    ref
    rev
    ;

  layers = layersOf model.passthru;
  format = formatOf layers;

  config = document {
    descriptor = {
      inherit name;
      revision = rev;
      sourceURL = model.meta.homepage;
    }
    // (if locked ? license then { licenses = locked.license; } else { });
    config = if format == null then { } else { inherit format; };
    modelfs = {
      type = "layers";
      diffIds = map ({ digest, ... }: "sha256:${digest}") layers;
    };
  };
  manifest = document {
    schemaVersion = 2;
    mediaType = manifestType;
    artifactType = ofModel "manifest.v1+json";
    config = descriptor (ofModel "config.v1+json") config;
    layers = map (
      layer:
      descriptor (ofModel "${layer.kind}.v1.raw") layer
      // {
        annotations = {
          "org.cncf.model.filepath" = layer.path;
          "org.opencontainers.image.title" = layer.path;
        };
      }
    ) layers;
  };
  index = document {
    schemaVersion = 2;
    mediaType = "application/vnd.oci.image.index.v1+json";
    manifests = [
      (
        descriptor manifestType manifest
        // {
          artifactType = ofModel "manifest.v1+json";
          annotations."org.opencontainers.image.ref.name" = if isTag ref then ref else rev;
        }
      )
    ];
  };

  # Through the folder of the model: its files are checked, and built in lanes.
  blobs = listToAttrs (
    map (layer: {
      name = blobPath layer;
      value = "${model}/${layer.path}";
    }) layers
  );
  layout = linkFiles {
    name = "${name}-oci";
    files = blobs // {
      ${blobPath config} = toFile "config.json" config.text;
      ${blobPath manifest} = toFile "manifest.json" manifest.text;
      "index.json" = toFile "index.json" index.text;
      "oci-layout" = toFile "oci-layout" (toJSON { imageLayoutVersion = "1.0.0"; });
    };
  };
in
if layers == [ ] then
  throw "nix-hug: oci: ${entry} has no files, and an image needs one"
else
  layout // { digest = "sha256:${manifest.digest}"; }
