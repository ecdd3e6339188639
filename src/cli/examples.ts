/** Calls that the help, the man page and `docs/commands.md` show, by command. */
export const EXAMPLES: Readonly<
  Record<string, readonly (readonly [call: string, does: string])[]>
> = {
  init: [
    ['nix-hug init --flake', 'hug.yaml, and a flake.nix that uses the lock'],
    ['nix-hug init --from-code src train.ipynb', 'entries for what the code loads'],
    ['nix-hug init --from-cache', 'entries for what is in the Hugging Face cache'],
  ],
  add: [
    ['nix-hug add mistralai/Mistral-7B-Instruct-v0.3 --format safetensors', 'one weight format'],
    ['nix-hug add unsloth/Qwen3-30B-A3B-GGUF:Q4_K_M', 'one quant, as llama-server -hf takes it'],
    ['nix-hug add acme/detector --version "^1.2"', 'the highest tag in a range'],
    ['nix-hug add hf-datasets:rajpurkar/squad --name squad --group train', 'a dataset in a group'],
  ],
  remove: [['nix-hug remove squad', 'the entry, and what it alone needs']],
  lock: [
    ['nix-hug lock', 'after an edit of hug.yaml, or a merge conflict'],
    ['nix-hug lock --check', 'in CI: exit 3 when the lock is not current'],
  ],
  update: [
    ['nix-hug update', 'all branches and version ranges'],
    ['nix-hug update mistral --dry-run', 'what would change in one entry'],
    ['nix-hug update --significant', 'stay where only README.md and the like changed'],
  ],
  outdated: [['nix-hug outdated --exit-code', 'exit 3 when update would move something']],
  diff: [
    ['nix-hug diff', 'the working folder, compared with HEAD'],
    ['nix-hug diff main --markdown', 'a table for a pull request'],
  ],
  audit: [
    ['nix-hug audit', 'everything that is locked; exit 1 on a finding'],
    ['nix-hug audit mistral --json', 'one entry and what it needs, as JSON'],
  ],
  ls: [
    ['nix-hug ls', 'the entries, and below each what it needs'],
    ['nix-hug ls gpt2 --format safetensors', 'files of a repository, without a download'],
  ],
  why: [
    ['nix-hug why meta-llama/Llama-3.2-1B', 'which entry needs it, and which file says so'],
    ['nix-hug why tokenizer.json', 'which entries have a file'],
  ],
  sbom: [['nix-hug sbom --output bom.json', 'CycloneDX of the whole lock']],
  fetch: [
    ['nix-hug fetch', 'all that is locked; nix build then downloads nothing'],
    ['nix-hug fetch mistral --gc-root ./roots', 'one entry, kept by a garbage collector root'],
    ['nix-hug fetch gpt2 --dry-run', 'the Nix expression that pins a repository'],
  ],
  export: [
    ['nix-hug export', 'all that is locked; needs no Nix'],
    ['nix-hug export --link mistral', 'links to the Nix store, no second copy'],
    ['nix-hug export gpt2 --format safetensors', 'a repository that no manifest names'],
  ],
  import: [
    ['nix-hug import', 'what the Hugging Face cache has of the lock'],
    ['nix-hug import --from ./models', 'files of a folder, found by digest'],
  ],
  'import-all': [['nix-hug import-all --dry-run', 'what the store misses, and its size']],
  run: [
    ['nix-hug run -- python train.py', 'offline, with exactly what is locked'],
    ['nix-hug run --group gpu -- vllm serve acme/model', 'with the entries of a group too'],
  ],
  env: [['eval "$(nix-hug env)"', 'the same for the shell that you are in']],
  verify: [
    ['nix-hug verify', 'read the files that are here, and compare digests'],
    ['nix-hug verify --strict', 'fail when a file is missing'],
  ],
  mirror: [['nix-hug mirror /srv/models', 'a folder for a web server and hashed-mirrors of Nix']],
  serve: [
    ['nix-hug serve', 'then HF_ENDPOINT=http://127.0.0.1:8080 for programs'],
    ['nix-hug serve --listen 0.0.0.0:8080 --allow-remote', 'for other machines, too'],
  ],
  scan: [['nix-hug scan', 'what is in the Hugging Face cache, and its problems']],
  completion: [['eval "$(nix-hug completion bash)"', 'in ~/.bashrc']],
};

/** The examples of a command, as its help ends with them; none for a command without. */
export function examplesText(command: string): string {
  const examples = EXAMPLES[command] ?? [];
  if (examples.length === 0) return '';
  return [
    '\nExamples:',
    ...examples.flatMap(([call, does]) => [`  ${call}`, `      ${does}`]),
  ].join('\n');
}
