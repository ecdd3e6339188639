let
  inherit (builtins) filter isAttrs toJSON;

  storeNameOf = import ../store-name.nix;

  # Name → type of a file, or the listing of a folder. Lazy: a folder is read when it is used.
  listingOf =
    folder:
    builtins.mapAttrs (
      name: type: if type == "directory" then listingOf "${folder}/${name}" else type
    ) (builtins.readDir folder);

  pathsIn =
    prefix: listing:
    builtins.concatMap (
      name:
      let
        path = prefix + name;
      in
      if isAttrs listing.${name} then pathsIn "${path}/" listing.${name} else [ path ]
    ) (builtins.attrNames listing);

  typeAt = builtins.foldl' (
    listing: name: if isAttrs listing then listing.${name} or null else null
  );
in
/**
  The plain files of a commit, each as a store path of its own: the one that a lock gives the file.
  LFS files are pointers in git, and are never taken from there.

  # Inputs

  `fail`
  : `problem: hint:` → an error about the repository

  `url`, `rev`
  : the git repository, and the commit

  `tree`
  : path → file, of all files that the Hub lists

  # Output

  Path → store path, as a function. The first call fetches the commit. The content is not checked:
  old versions of Nix let `.gitattributes` change files.

  # Errors

  A path that is not a regular file of the commit, since a symbolic link could lead out of the
  repository. A commit with a file that is not in `tree`: the Hub's list has further pages then.
*/
{
  fail,
  url,
  rev,
  tree,
}:
let
  # `allRefs` finds a commit on any branch. With `ref = "HEAD"` Nix 2.8 does not look for `master`,
  # and no version asks for the default branch on each evaluation.
  root = fetchGit {
    inherit rev url;
    ref = "HEAD";
    allRefs = true;
  };
  listing = listingOf root.outPath;
  unlisted = filter (path: !(tree ? ${path})) (pathsIn "" listing);
in
path:
let
  type = typeAt listing (filter builtins.isString (builtins.split "/" path));
in
if unlisted != [ ] then
  fail
    "the Hub's list does not name ${toJSON (builtins.head unlisted)} of the commit, so it has further pages"
    "lock it with `nix-hug add`"
else if type == null then
  fail "git does not give ${toJSON path}; .gitattributes can cause this" "lock it with `nix-hug add`"
else if type != "regular" then
  fail "${toJSON path} is not a regular file of the commit" "leave it out with filters.files"
else
  builtins.path {
    name = storeNameOf path;
    path = "${root.outPath}/${path}";
    recursive = false;
  }
