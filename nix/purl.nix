let
  encodePath = import ./encode-path.nix;

  # A package URL has ":" as it is, and encodes "/".
  encode = text: builtins.replaceStrings [ "/" "%3A" ] [ "%2F" ":" ] (encodePath text);
in
/**
  The package URL of a repository at a commit (ECMA-427, type `huggingface`). `purlOf` of
  `src/output/purl.ts` gives the same.

  # Inputs

  `type`
  : `model` or `dataset`

  `repo`, `rev`
  : id and commit of the repository

  `source`
  : the Hub that the lock names, without a final slash
*/
{
  type,
  repo,
  rev,
  source,
}:
let
  prefix = if type == "dataset" then "datasets/" else "";
  qualifiers =
    if source == "https://huggingface.co" then "" else "?repository_url=${encode source}";
in
"pkg:huggingface/${prefix}${repo}@${rev}${qualifiers}"
