let
  inherit (builtins)
    attrNames
    concatMap
    fetchGit
    filter
    foldl'
    head
    isAttrs
    isString
    mapAttrs
    readDir
    split
    toJSON
    ;

  storeNameOf = import ./store-name.nix;

  # Name → its type, or the same of a folder; read as far as it is looked at.
  listingOf =
    folder:
    mapAttrs (name: type: if type == "directory" then listingOf "${folder}/${name}" else type) (
      readDir folder
    );

  filesIn =
    prefix: listing:
    concatMap (
      name:
      let
        path = prefix + name;
      in
      if isAttrs listing.${name} then filesIn "${path}/" listing.${name} else [ path ]
    ) (attrNames listing);

  at = foldl' (listing: name: if isAttrs listing then listing.${name} or null else null);
in
/**
  The plain files of a commit, each as a store path of its own: the one that a lock's derivation of the
  same file has. LFS files are pointers in git, and are never taken from there.

  # Inputs

  `fail`
  : throws an error about the repository

  `url`, `rev`
  : where the repository is, and the commit. It is fetched when the first file is used, and kept by
    Nix. All refs are, because Nix finds a commit by them alone; HEAD keeps Nix 2.8 from looking for a
    branch `master`, and every version from asking for the default branch on each evaluation.

  `tree`
  : path → file, as the Hub's answer names them

  # Output

  A function from a path to a store path. Its content is not checked yet: Nix unpacks a commit as git
  does, and old versions let `.gitattributes` change files.

  # Errors

  Anything but a regular file, since a link could lead out of the repository; a commit with files
  that the tree does not name, which is what a tree of several pages looks like.
*/
{
  fail,
  url,
  rev,
  tree,
}:
let
  root = fetchGit {
    inherit rev url;
    ref = "HEAD";
    allRefs = true;
  };
  listing = listingOf root.outPath;
  unnamed = filter (path: !(tree ? ${path})) (filesIn "" listing);
in
path:
let
  found = at listing (filter isString (split "/" path));
in
if unnamed != [ ] then
  fail
    "its tree does not name ${toJSON (head unnamed)}, which the commit has, so there are further pages"
    "lock it with `nix-hug add`"
else if found == null then
  fail "git gives no ${toJSON path}, which .gitattributes can cause" "lock it with `nix-hug add`"
else if found != "regular" then
  fail "${toJSON path} is not a regular file of the commit" "leave it out with filters.files"
else
  builtins.path {
    name = storeNameOf path;
    path = "${root.outPath}/${path}";
    recursive = false;
  }
