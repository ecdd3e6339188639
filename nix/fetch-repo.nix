/**
  A model or dataset without a lock, pinned by the hash of the Hub's answer about its files. That
  answer and the commit of the small files are fetched when it is evaluated, LFS files when it is built.
  `nix-hug fetch org/name --dry-run` prints the call.

  # Inputs

  `url`
  : any repository form, see `parse-repo.nix`

  `rev`
  : commit, 40 hex digits

  `fileTreeHash`
  : SHA-256, in SRI form, of `GET /api/models/org/name/tree/REV?recursive=true`

  `filters`
  : which files, see `select-files.nix`

  # Output

  What a model of a lock is, see `make-model.nix`; `ref` is the commit.

  # Errors

  Those of the files named above, a tree of 1,000 entries or more, and a gated repository. The lock
  has none of these limits.
*/
{ endpoint, makeModel }:
type:
let
  inherit (builtins)
    attrNames
    fetchurl
    filter
    fromJSON
    hashFile
    mapAttrs
    readFile
    toJSON
    ;

  inherit (import ./valid.nix) gitId matches sri;
  gitFiles = import ./git-files.nix;
  parseRepo = import ./parse-repo.nix endpoint;
  readTree = import ./read-tree.nix;
  selectFiles = import ./select-files.nix;
  sriOfHex = import ./sri-of-hex.nix;

  functions = {
    model = "fetchModel";
    dataset = "fetchDataset";
  };
  name = functions.${type};
  address = if endpoint == null then "https://huggingface.co" else endpoint;
in
{
  url,
  rev,
  fileTreeHash,
  filters ? null,
}:
let
  form = parseRepo url;
  repo = form.id;
  page = "${address}/${if type == "dataset" then "datasets/" else ""}${repo}";
  fail = problem: hint: throw "nix-hug: ${name} ${repo}: ${problem}; ${hint}";

  tree = readTree fail (
    fromJSON (
      readFile (fetchurl {
        name = "tree-${rev}.json";
        url = "${address}/api/${type}s/${repo}/tree/${rev}?recursive=true";
        sha256 = fileTreeHash;
      })
    )
  );
  selected = selectFiles fail filters tree;
  plainFile = gitFiles {
    inherit fail rev tree;
    url = page;
  };
  isLfs = path: selected.${path} ? lfs;
  plain = mapAttrs (path: _: plainFile path) (
    removeAttrs selected (filter isLfs (attrNames selected))
  );
  withHash =
    path: file:
    if isLfs path then file else file // { hash = sriOfHex (hashFile "sha256" plain.${path}); };
in
if form.type or type != type then
  fail "it is a ${form.type}" "use ${functions.${form.type}}"
else if !matches gitId rev then
  fail "rev is not a commit of 40 hex digits" "run `nix-hug fetch ${repo} --dry-run`"
else if form.ref or rev != rev then
  fail "url names the revision ${toJSON form.ref}, and rev another one" "leave that out of url"
else if form ? file then
  fail "url names a file" "use filters.files"
else if !matches sri fileTreeHash then
  fail "fileTreeHash is not a SHA-256 in SRI form" "run `nix-hug fetch ${repo} --dry-run`"
else
  makeModel {
    inherit plain type;
    endpoint = address;
    entry = "${name} ${repo}";
    locked = {
      inherit repo rev;
      ref = rev;
      files = mapAttrs withHash selected;
    };
  }
