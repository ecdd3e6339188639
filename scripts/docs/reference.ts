/** What users look up beside the command table; the man page and the pages of `docs/` share it. */

/** Exit statuses of every command. */
export const EXIT_STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'Done.'],
  ['1', 'Failed.'],
  ['2', 'Wrong usage, or a manifest or lock that is missing or invalid.'],
  [
    '3',
    'Out of date: the answer of `lock --check` and `outdated --exit-code`, and of `run` and `env` for a stale lock.',
  ],
  ['126, 127', '`run` found its program and could not execute it, or did not find it.'],
  ['130', 'Interrupted. What is done is kept.'],
  ['other', 'Of `run`: the status of its program; 128 and the number of the signal that ended it.'],
];

/** Every environment variable that is read. */
export const ENVIRONMENT: readonly (readonly [names: readonly string[], meaning: string])[] = [
  [['HF_ENDPOINT'], 'Address of the Hub. Wins over `endpoint` of the manifest and of the lock.'],
  [
    ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'],
    'The access token, the first one that is set. Sent to the origin of the endpoint only.',
  ],
  [['HF_TOKEN_PATH'], 'File with the token, where no variable has it; default `$HF_HOME/token`.'],
  [['HF_HUB_DISABLE_IMPLICIT_TOKEN'], 'When true, no token is sent.'],
  [['HF_HUB_OFFLINE'], 'When true, as `--offline`.'],
  [['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE'], 'The Hugging Face cache; default `$HF_HOME/hub`.'],
  [
    ['NIX_HUG_ENV'],
    'The cache of `hug.env` or of `run`, beside variables for programs: while `HF_HUB_CACHE` equals it, nix-hug ignores the two variables of the cache and `HF_HUB_OFFLINE`.',
  ],
  [
    ['HF_HUB_DISABLE_SYMLINKS'],
    'When true, `export` writes plain files into snapshots rather than links to blobs.',
  ],
  [['HF_HOME'], 'Default `$XDG_CACHE_HOME/huggingface`.'],
  [
    ['XDG_CACHE_HOME'],
    'Default `~/.cache`. `$XDG_CACHE_HOME/nix-hug` holds the views of `run`, partial downloads, which the next run continues, packs of git while a command reads them, and the code that Node 22.1 and later have compiled.',
  ],
  [['HF_HUB_ETAG_TIMEOUT'], 'Longest wait for an answer to begin, in seconds; default 30.'],
  [
    ['HF_HUB_DOWNLOAD_TIMEOUT'],
    'Longest wait for more bytes of an answer, in seconds; default 30. A download must bring 64 KiB in twice that time. An answer of the API may take four times the longer of these two timeouts.',
  ],
  [['PATH'], 'Where Nix and git are found. Without git, plain files are downloaded one by one.'],
  [
    ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
    'Proxies, and hosts, domains, addresses and CIDR ranges that are reached without one. Lower case wins.',
  ],
  [
    ['NODE_EXTRA_CA_CERTS', 'NIX_SSL_CERT_FILE', 'SSL_CERT_FILE'],
    'Files of certificates (PEM) that are trusted in addition to those of Node.js.',
  ],
  [['NO_COLOR', 'FORCE_COLOR'], 'When not empty: no colours, or colours without a terminal too.'],
  [['TERM'], '`dumb`: lines of progress instead of a live display.'],
  [['NIX_HUG_NIXPKGS'], 'The nixpkgs that `fetch <url>` builds with; the package sets it.'],
  [
    ['NIX_REMOTE'],
    'Where Nix has its store. In one that lies elsewhere than its paths say, room is not checked beforehand.',
  ],
];

/** Files that are read or written. */
export const FILES: readonly (readonly [file: string, meaning: string])[] = [
  [
    'hug.yaml',
    'The manifest. Looked for from the working directory upward, also as `hug.yml` and `.config/hug.yaml`.',
  ],
  ['hug.lock.json', 'The lock, beside the manifest.'],
];
