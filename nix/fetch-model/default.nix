/**
  A model or dataset without a lock, pinned by a commit and by the hash of the Hub's answer about
  its files. Evaluation fetches that answer, and the commit when plain files are used; the build
  downloads LFS files. `nix-hug fetch org/name --dry-run` prints the call.

  # Inputs

  `type`
  : `model` for `fetchModel`, `dataset` for `fetchDataset`

  `url`
  : a repository form, see `parse-repo.nix`

  `rev`
  : commit, 40 hex digits

  `fileTreeHash`
  : SHA-256, SRI form, of the body of `GET /api/models/org/name/tree/REV?recursive=true`

  `filters`
  : which files, see `select-files.nix`

  # Output

  The same as a model of a lock, see `make-model.nix`. `ref` is the commit.

  # Errors

  Arguments of the shell version, which are answered by the command that prints a call of this one.
  Those of `parse-repo.nix`, `read-tree.nix`, `select-files.nix` and `git-files.nix`. A tree of
  1,000 entries or more and a gated repository need a lock.
*/
{ endpoint, makeModel }:
type:
let
  inherit (builtins) mapAttrs;

  inherit (import ../valid.nix) gitId matches sri;
  gitFiles = import ./git-files.nix;
  parseRepo = import ./parse-repo.nix endpoint;
  readTree = import ./read-tree.nix;
  selectFiles = import ./select-files.nix;
  sriOfHex = import ./sri-of-hex.nix;

  functionOf = {
    model = "fetchModel";
    dataset = "fetchDataset";
  };
  address = if endpoint == null then "https://huggingface.co" else endpoint;
in
{
  url,
  rev ? null,
  fileTreeHash ? null,
  filters ? null,
  ...
}@arguments:
let
  ofShellVersion = builtins.intersectAttrs {
    repoInfoHash = null;
    derivationHash = null;
    hash = null;
  } arguments;
  unknown = builtins.attrNames (
    removeAttrs arguments [
      "url"
      "rev"
      "fileTreeHash"
      "filters"
    ]
  );
  form = parseRepo url;
  repo = form.id;
  entry = "${functionOf.${type}} ${repo}";
  fail = problem: hint: throw "nix-hug: ${entry}: ${problem}; ${hint}";

  tree = readTree fail (
    builtins.fromJSON (
      builtins.readFile (builtins.fetchurl {
        name = "tree-${rev}.json";
        url = "${address}/api/${type}s/${repo}/tree/${rev}?recursive=true";
        sha256 = fileTreeHash;
      })
    )
  );
  selected = selectFiles fail filters tree;

  isLfs = path: selected.${path} ? lfs;
  plainFile = gitFiles {
    inherit fail rev tree;
    url = "${address}/${if type == "dataset" then "datasets/" else ""}${repo}";
  };
  plain = mapAttrs (path: _: plainFile path) (
    removeAttrs selected (builtins.filter isLfs (builtins.attrNames selected))
  );
  withHash =
    path: file:
    if isLfs path then
      file
    else
      file // { hash = sriOfHex (builtins.hashFile "sha256" plain.${path}); };
in
if ofShellVersion != { } then
  fail "${builtins.head (builtins.attrNames ofShellVersion)} is an argument of the shell version" "run `nix-hug fetch ${repo} --dry-run` for the call of this one"
else if unknown != [ ] then
  fail "unknown argument ${builtins.head unknown}" "it takes url, rev, fileTreeHash and filters"
else if form.type or type != type then
  fail "it is a ${form.type}" "use ${functionOf.${form.type}}"
else if !matches gitId rev then
  fail "rev is not a commit of 40 hex digits" "run `nix-hug fetch ${repo} --dry-run`"
else if form.ref or rev != rev then
  fail "url has the revision ${builtins.toJSON form.ref}, and rev another one" "remove it from url"
else if form ? file then
  fail "url names a file" "use filters.files"
else if !matches sri fileTreeHash then
  fail "fileTreeHash is not a SHA-256 in SRI form" "run `nix-hug fetch ${repo} --dry-run`"
else
  makeModel {
    inherit entry plain type;
    endpoint = address;
    locked = {
      inherit repo rev;
      ref = rev;
      files = mapAttrs withHash selected;
    }
    // (if filters == null then { } else { select = filters; });
  }
