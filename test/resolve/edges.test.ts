import { describe, expect, it } from 'vitest';
import { edgeFiles, edgesIn } from '../../src/resolve/edges.ts';

const OWN = ['acme/own', 'old/own'];

const bytesOf = (content: unknown) =>
  new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));

const found = (files: Readonly<Record<string, unknown>>) =>
  edgesIn(new Map(Object.entries(files).map(([path, content]) => [path, bytesOf(content)])), OWN);

/** Edges as `repo@ref take key`; a folder is written as it is. */
const linesOf = ({ edges }: ReturnType<typeof edgesIn>) =>
  edges.map(({ repo, ref, key, take }) => {
    const part = take.kind === 'folder' ? `${take.folder}/` : take.kind;
    return `${repo}@${ref} ${part} ${key}`;
  });

const COMBINED = { _class_name: 'KandinskyV22CombinedPipeline' };

const EDGES: readonly [path: string, content: unknown, edges: readonly string[]][] = [
  [
    'adapter_config.json',
    { base_model_name_or_path: 'acme/base', peft_type: 'LORA' },
    ['acme/base@main weights base_model_name_or_path'],
  ],
  [
    'checkpoint-5/adapter_config.json',
    { base_model_name_or_path: 'gpt2', revision: null },
    ['gpt2@main weights base_model_name_or_path'],
  ],
  [
    'adapter_config.json',
    { base_model_name_or_path: 'acme/base', revision: 'main' },
    ['acme/base@main weights base_model_name_or_path'],
  ],
  [
    'adapter_config.json',
    { base_model_name_or_path: 'acme/base', revision: 'dev' },
    [
      'acme/base@dev weights base_model_name_or_path',
      'acme/base@main weights base_model_name_or_path',
    ],
  ],
  [
    'adapter_config.json',
    {
      peft_type: 'XLORA',
      base_model_name_or_path: 'acme/base',
      adapters: { '0': 'a/x', b: 'a/y' },
    },
    [
      'a/x@main weights adapters.0',
      'a/y@main weights adapters.b',
      'acme/base@main weights base_model_name_or_path',
    ],
  ],
  ...[
    'config.json',
    'tokenizer_config.json',
    'processor_config.json',
    'preprocessor_config.json',
    'video_preprocessor_config.json',
    'text_encoder/config.json',
  ].map((path): (typeof EDGES)[number] => [
    path,
    { auto_map: { AutoModel: 'acme/code--modeling.Model', AutoConfig: 'configuration.Config' } },
    ['acme/code@main code auto_map.AutoModel'],
  ]),
  [
    'tokenizer_config.json',
    { auto_map: { AutoTokenizer: [null, 'acme/code--tok.Fast'] } },
    ['acme/code@main code auto_map.AutoTokenizer'],
  ],
  [
    'tokenizer_config.json',
    { auto_map: ['acme/slow--tok.Slow', 'acme/fast--tok.Fast'] },
    ['acme/fast@main code auto_map', 'acme/slow@main code auto_map'],
  ],
  [
    'preprocessor_config.json',
    { auto_map: { AutoImageProcessor: { torch: 'acme/code--image.Fast', pil: ['x.Y', null] } } },
    ['acme/code@main code auto_map.AutoImageProcessor.torch'],
  ],
  [
    'modules.json',
    [
      { idx: 0, path: '', type: 'acme/code--custom.Transformer' },
      { idx: 1, path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      { idx: 2, path: '2_Local', type: 'custom.Local' },
    ],
    ['acme/code@main code type'],
  ],
  [
    '0_Router/router_config.json',
    { types: { query: 'acme/code--custom.Query', doc: 'custom.Doc' }, structure: {} },
    ['acme/code@main code types.query'],
  ],
  ['router_config.json', { type: 'acme/code--custom.Query' }, ['acme/code@main code type']],
  [
    'processor_config.json',
    { audio_tokenizer: { audio_tokenizer_class: 'Dac', audio_tokenizer_name_or_path: 'acme/dac' } },
    ['acme/dac@main weights audio_tokenizer.audio_tokenizer_name_or_path'],
  ],
  [
    'audio_tokenizer_config.json',
    { audio_tokenizer_class: 'Dac', audio_tokenizer_name_or_path: 'acme/dac' },
    ['acme/dac@main weights audio_tokenizer_name_or_path'],
  ],
  [
    'modular_model_index.json',
    {
      _blocks_class_name: 'Blocks',
      unet: ['diffusers', 'Unet', { pretrained_model_name_or_path: 'acme/sd', subfolder: 'unet/' }],
      vae: [
        null,
        null,
        {
          type_hint: ['diffusers', 'Vae'],
          pretrained_model_name_or_path: 'acme/vae',
          subfolder: '',
          revision: 'v1',
          variant: null,
        },
      ],
      text: ['transformers', 'Clip', { repo: 'acme/old', subfolder: 'a/b', revision: null }],
      guider: ['diffusers', 'Guider', { pretrained_model_name_or_path: null }],
      other: ['diffusers', 'Own', { pretrained_model_name_or_path: 'acme/own', subfolder: 'x' }],
    },
    [
      'acme/old@main a/b/ text.repo',
      'acme/sd@main unet/ unet.pretrained_model_name_or_path',
      'acme/vae@v1 weights vae.pretrained_model_name_or_path',
    ],
  ],
  [
    'config.json',
    { speculators_config: { verifier: { name_or_path: 'acme/verifier', architectures: [] } } },
    ['acme/verifier@main weights speculators_config.verifier.name_or_path'],
  ],
  [
    'open_clip_config.json',
    { model_cfg: { text_cfg: { hf_tokenizer_name: 'acme/tok', hf_model_name: 'acme/tower' } } },
    [
      'acme/tok@main weights model_cfg.text_cfg.hf_tokenizer_name',
      'acme/tower@main code model_cfg.text_cfg.hf_model_name',
    ],
  ],
];

describe('edges', () => {
  it.each(EDGES)('of %s with %j', (path, content, edges) => {
    const result = found({ [path]: content });
    expect(linesOf(result)).toEqual(edges);
    expect(result.edges.map(({ by }) => by)).toEqual(edges.map(() => path));
    expect(result.warnings).toEqual([]);
  });

  it('are sorted by repository, ref and file, each once', () => {
    const base = { base_model_name_or_path: 'b/b', revision: 'a' };
    const { edges } = found({
      'b/adapter_config.json': base,
      'adapter_config.json': { ...base, adapters: { x: 'b/b', y: 'B/b' } },
    });
    expect(edges.map(({ repo, ref, by }) => `${repo} ${ref} ${by}`)).toEqual([
      'B/b main adapter_config.json',
      'b/b a adapter_config.json',
      'b/b a b/adapter_config.json',
      'b/b main adapter_config.json',
      'b/b main b/adapter_config.json',
    ]);
  });

  it('keep both of two parts of one repository', () => {
    const part = (subfolder: string) => [null, null, { repo: 'acme/sd', subfolder }];
    const index = { unet: part('unet'), vae: part('vae'), again: part('vae/') };
    expect(linesOf(found({ 'modular_model_index.json': index }))).toEqual([
      'acme/sd@main unet/ unet.repo',
      'acme/sd@main vae/ vae.repo',
    ]);
  });

  it('do not depend on the order of the files', () => {
    const files = EDGES.map(([path, content], index) => [`${index}/${path}`, content] as const);
    expect(found(Object.fromEntries(files.toReversed()))).toEqual(found(Object.fromEntries(files)));
  });
});

describe('the prior of a combined pipeline', () => {
  const card = '---\nprior:\n- acme/prior\n---\n# Decoder';

  it.each([
    'KandinskyCombinedPipeline',
    'KandinskyImg2ImgCombinedPipeline',
    'KandinskyInpaintCombinedPipeline',
    'KandinskyV22CombinedPipeline',
    'KandinskyV22Img2ImgCombinedPipeline',
    'KandinskyV22InpaintCombinedPipeline',
    'StableCascadeCombinedPipeline',
    'WuerstchenCombinedPipeline',
  ])('is an edge for %s', (name) => {
    const result = found({ 'README.md': card, 'model_index.json': { _class_name: name } });
    expect(linesOf(result)).toEqual(['acme/prior@main weights prior']);
    expect(result.edges[0]?.by).toBe('README.md');
    expect(result.warnings).toEqual([]);
  });

  it.each([
    ['of another pipeline', { 'model_index.json': { _class_name: 'KandinskyV22Pipeline' } }],
    [
      'of a pipeline with a longer name',
      { 'model_index.json': { _class_name: 'XCombinedPipeline' } },
    ],
    ['without a class', { 'model_index.json': {} }],
    ['without an index', {}],
    ['with a broken index', { 'model_index.json': '{' }],
    ['with an index in a folder', { 'a/model_index.json': COMBINED }],
  ])('is none %s', (_, files) => {
    expect(found({ 'README.md': card, ...files })).toEqual({ edges: [], warnings: [] });
  });

  it('is none in a README of a folder', () => {
    expect(found({ 'a/README.md': card, 'model_index.json': COMBINED }).edges).toEqual([]);
  });

  it('is a warning for front matter that is not YAML', () => {
    const files = { 'README.md': '---\nprior: [\n---\n', 'model_index.json': COMBINED };
    expect(found(files).warnings).toEqual([
      '"README.md" cannot be read, so nix-hug does not see which repositories it names',
    ]);
  });
});

describe('nothing is followed', () => {
  it.each<[what: string, path: string, content: unknown]>([
    ['the name of a model', 'config.json', { _name_or_path: 'acme/base' }],
    ['the class of a tokenizer', 'tokenizer_config.json', { tokenizer_class: 'acme/code--t.T' }],
    ['the version of diffusers', 'config.json', { _diffusers_version: 'acme/x' }],
    ['a list of two', 'model_index.json', { unet: ['diffusers', 'acme/unet'] }],
    ['a list of two, modular', 'modular_model_index.json', { unet: ['a', { repo: 'acme/x' }] }],
    ['base_model of a README', 'README.md', '---\nbase_model: acme/base\n---\n'],
    ['data_files of a README', 'README.md', '---\nconfigs:\n- data_files: acme/x\n---\n'],
    ['GGUF metadata', 'config.json', { 'general.base_model.0.repo_url': 'acme/base' }],
    ['a timm configuration', 'config.json', { architecture: 'vit', hf_hub_id: 'acme/vit' }],
    ['a script', 'script.py', 'AutoModel.from_pretrained("acme/base")'],
    ['a vision tower of LLaVA', 'config.json', { mm_vision_tower: 'openai/clip' }],
    ['code of the repository itself', 'config.json', { auto_map: { AutoModel: 'own.Model' } }],
    ['auto_map of an adapter', 'adapter_config.json', { auto_mapping: { x: 'acme/x--a.B' } }],
    ['auto_map inside of another key', 'config.json', { text: { auto_map: { A: 'a/b--c.D' } } }],
    ['a file with another name', 'my_config.json', { auto_map: { A: 'acme/code--a.B' } }],
    ['a file in upper case', 'Config.json', { auto_map: { A: 'acme/code--a.B' } }],
    ['a base that is left out', 'adapter_config.json', { base_model_name_or_path: null }],
    ['a base without a name', 'adapter_config.json', { base_model_name_or_path: '' }],
    ['an audio tokenizer by class', 'processor_config.json', { audio_tokenizer: 'acme/dac' }],
    ['adapters in a list', 'adapter_config.json', { adapters: ['acme/x'] }],
    ['a backbone with its configuration', 'config.json', { backbone: 'a/b', backbone_config: {} }],
  ])('for %s', (_, path, content) => {
    expect(found({ [path]: content, 'model_index.json': COMBINED })).toEqual({
      edges: [],
      warnings: [],
    });
  });

  it.each(['acme/own', 'Acme/OWN', 'old/own', 'OLD/own'])(
    'for %s, the repository itself',
    (own) => {
      const result = found({
        'adapter_config.json': {
          base_model_name_or_path: own,
          revision: 'a b',
          adapters: { x: own },
        },
        'config.json': { auto_map: { AutoModel: `${own}--m.M` } },
        'modules.json': [{ type: `${own}--m.M` }],
        'open_clip_config.json': { model_cfg: { text_cfg: { hf_tokenizer_name: own } } },
        'modular_model_index.json': { x: [null, null, { repo: own, subfolder: '..' }] },
      });
      expect(result).toEqual({ edges: [], warnings: [] });
    },
  );
});

describe('a warning and no edge', () => {
  const base = (id: unknown) => ({ base_model_name_or_path: id });
  const noRepo = (shown: string) =>
    `"adapter_config.json" names ${shown} in base_model_name_or_path, which is no repository id: nothing is locked for it`;

  it.each([
    ['./base', '"./base"'],
    ['/home/me/base', '"/home/me/base"'],
    ['..', '".."'],
    ['../base', '"../base"'],
    ['out/llama/checkpoint-5', '"out/llama/checkpoint-5"'],
    [String.raw`C:\base`, String.raw`"C:\\base"`],
    ['https://huggingface.co/acme/base', '"https://huggingface.co/acme/base"'],
    ['acme/base ', '"acme/base "'],
    ['acme/base--x', '"acme/base--x"'],
    ['acme/\u001b[2J\u009b', String.raw`"acme/\u001b[2J\u009b"`],
    ['acme/b\u00e4se', '"acme/b\u00e4se"'],
  ])('for the id %j', (id, shown) => {
    expect(found({ 'adapter_config.json': base(id) })).toEqual({
      edges: [],
      warnings: [noRepo(shown)],
    });
  });

  it.each(['a', 'a/', '-', '--', '..', '.git', ':'])('for an id of a megabyte of %j', (part) => {
    const id = part.repeat(1_000_000 / part.length);
    const shown = `"${id.slice(0, 80)}…"`;
    expect(found({ 'adapter_config.json': base(id) }).warnings).toEqual([noRepo(shown)]);
  });

  it.each([5, true, {}, ['acme/base'], { name: 'acme/base' }])('for %j as an id', (id) => {
    expect(found({ 'adapter_config.json': base(id) })).toEqual({
      edges: [],
      warnings: [
        '"adapter_config.json" has no text in base_model_name_or_path, so nothing is locked for it',
      ],
    });
  });

  it.each([
    ['a b', '"a b", which has a character that no branch, tag or commit has'],
    ['../x', '"../x", which has a ".." segment'],
    ['a\u0000\u009b', String.raw`"a\u0000\u009b", which has a control character`],
    [3, 'that is not text'],
  ])('for the revision %j; main is still one', (revision, shown) => {
    const result = found({ 'adapter_config.json': { ...base('acme/base'), revision } });
    expect(linesOf(result)).toEqual(['acme/base@main weights base_model_name_or_path']);
    expect(result.warnings).toEqual([
      `"adapter_config.json" names "acme/base" in base_model_name_or_path at the revision ${shown}: it is not locked`,
    ]);
  });

  it.each([
    ['../unet', '"../unet", which has a ".." segment'],
    ['/unet', '"/unet", which is absolute'],
    ['unet//', '"unet/", which has an empty segment'],
    ['u\u0007', String.raw`"u\u0007", which has a control character`],
    ['u\u009b', String.raw`"u\u009b", which has a control character`],
    ['/', '"", which is empty'],
    [['unet'], 'that is not text'],
  ])('for the folder %j', (subfolder, shown) => {
    const spec = { pretrained_model_name_or_path: 'acme/sd', subfolder };
    const key = 'unet.pretrained_model_name_or_path';
    expect(found({ 'modular_model_index.json': { unet: ['a', 'b', spec] } })).toEqual({
      edges: [],
      warnings: [
        `"modular_model_index.json" names "acme/sd" in ${key} with the folder ${shown}: it is not locked`,
      ],
    });
  });

  it.each(
    ['--m.M', './x--m.M', 'acme/x--y--m.M', '/etc--m.M', `a${'--'.repeat(500_000)}`].map((name) => [
      name.slice(0, 20),
      name,
    ]),
  )('for the class %j', (_, name) => {
    const { edges, warnings } = found({ 'config.json': { auto_map: { AutoModel: name } } });
    expect(edges).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it.each([{}, { backbone_config: null }])('for a backbone with %j', (rest) => {
    expect(found({ 'config.json': { backbone: 'res\u001bnet50', ...rest } })).toEqual({
      edges: [],
      warnings: [
        String.raw`"config.json" names "res\u001bnet50" in backbone, for which transformers asks the Hub, as there is no backbone_config`,
      ],
    });
  });

  it('escapes the names of keys', () => {
    const name = `\u009b${'k'.repeat(1_000_000)}`;
    const { edges, warnings } = found({
      'adapter_config.json': { adapters: { [name]: './x', [`${name}2`]: 'acme/x' } },
      'config.json': { auto_map: { [name]: '..--a.B' } },
      'modular_model_index.json': { [name]: [null, null, { repo: '/x' }] },
    });
    const text = [...warnings, ...edges.map(({ key }) => key)].join('\n');
    expect(text.length).toBeLessThan(1_000);
    expect(text).toContain(String.raw`adapters.\u009bkkk`);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/u);
  });
});

describe('hostile JSON', () => {
  const unread = (reason: string) =>
    `"config.json" ${reason}, so nix-hug does not see which repositories it names`;

  it.each([
    ['an empty file', 'cannot be read', ''],
    ['a file cut short', 'cannot be read', '{'],
    ['nesting without an end', 'cannot be read', `{"a": ${'['.repeat(100_000)}`],
    ['a control character in a text', 'cannot be read', '{"a": "\u0001"}'],
    ['a text without an end', 'cannot be read', '{"a": "Infinity'],
    ['two million escapes', 'cannot be read', `{"a": "${String.raw`\"`.repeat(2_000_000)}`],
    ['a list', 'is not a JSON object', '[]'],
    ['a text', 'is not a JSON object', '"acme/base"'],
    ['null', 'is not a JSON object', 'null'],
    ['nested lists', 'is not a JSON object', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('that is %s %s', (_, reason, text) => {
    expect(found({ 'config.json': text })).toEqual({ edges: [], warnings: [unread(reason)] });
  });

  it('is not a list in modules.json', () => {
    expect(found({ 'modules.json': { type: 'acme/x--a.B' } }).warnings).toEqual([
      '"modules.json" is not a JSON list, so nix-hug does not see which repositories it names',
    ]);
    expect(found({ 'modules.json': [null, 1, [], 'acme/x--a.B', { type: 5 }] })).toEqual({
      edges: [],
      warnings: [],
    });
  });

  it('has the numbers that Python writes', () => {
    const text = String.raw`{"limit": [0.0, Infinity, -Infinity, NaN], "a\"": "NaN\\", "auto_map": {"AutoModel": "acme/Infinity--NaN.Infinity"}}`;
    expect(linesOf(found({ 'config.json': text }))).toEqual([
      'acme/Infinity@main code auto_map.AutoModel',
    ]);
  });

  it('nests 100,000 levels', () => {
    const deep = (key: string, open: string, close: string) =>
      `{"${key}": ${open.repeat(100_000)}"acme/x--a.B"${close.repeat(100_000)}}`;
    for (const key of ['auto_map', 'speculators_config', 'backbone_config', 'other']) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"verifier":', '}'],
      ] as const) {
        expect(found({ 'config.json': deep(key, open, close) })).toEqual({
          edges: [],
          warnings: [],
        });
      }
    }
    const adapter = deep('base_model_name_or_path', '[', ']');
    expect(found({ 'adapter_config.json': adapter }).warnings).toHaveLength(1);
  });

  it('has names of Object.prototype', () => {
    const text = '{"__proto__": {"auto_map": {"A": "a/b--c.D"}}, "constructor": 1, "toString": 2}';
    expect(found({ 'config.json': text })).toEqual({ edges: [], warnings: [] });
    const adapters = '{"adapters": {"__proto__": "acme/x", "constructor": "acme/y"}}';
    expect(linesOf(found({ 'adapter_config.json': adapters }))).toEqual([
      'acme/x@main weights adapters.__proto__',
      'acme/y@main weights adapters.constructor',
    ]);
  });

  it('has a key twice: the last counts, as in Python', () => {
    const text = '{"base_model_name_or_path": "a/a", "base_model_name_or_path": "b/b"}';
    expect(linesOf(found({ 'adapter_config.json': text }))).toEqual([
      'b/b@main weights base_model_name_or_path',
    ]);
  });

  it('has a byte order mark, or bytes that are not UTF-8', () => {
    const mark = '\ufeff{"base_model_name_or_path": "a/a"}';
    expect(found({ 'adapter_config.json': mark }).edges).toHaveLength(1);
    const bytes = Buffer.from('{"base_model_name_or_path": "a/\xff"}', 'latin1');
    expect(edgesIn(new Map([['adapter_config.json', bytes]]), OWN)).toEqual({
      edges: [],
      warnings: [expect.stringContaining('"a/\ufffd"')],
    });
  });

  it('has 100,000 adapters', () => {
    const adapters = (id: (index: number) => string) => ({
      'adapter_config.json': {
        adapters: Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`x${n}`, id(n)])),
      },
    });
    expect(found(adapters((n) => `a/${n}`)).edges).toHaveLength(100_000);
    expect(found(adapters(() => 'a/a')).edges).toHaveLength(1);
    const { edges, warnings } = found(adapters((n) => `./${n}`));
    expect(edges).toEqual([]);
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe('and 99980 more');
  });
});

describe('files to read', () => {
  const file = (path: string, size = 10) => ({ path, size, oid: '0'.repeat(40) });
  const pathsOf = (...paths: string[]) =>
    edgeFiles(paths.map((path) => file(path))).files.map(({ path }) => path);

  it('are those of the table, in any folder', () => {
    const names = EDGES.map(([path]) => path);
    expect(pathsOf(...new Set(names))).toEqual([...new Set(names)]);
    expect(
      pathsOf('model.py', 'tokenizer.json', 'xconfig.json', 'config.json/x', 'Config.json', 'a'),
    ).toEqual([]);
  });

  it('are README.md and model_index.json of the root only together', () => {
    expect(pathsOf('README.md')).toEqual([]);
    expect(pathsOf('model_index.json')).toEqual([]);
    expect(pathsOf('README.md', 'a/model_index.json')).toEqual([]);
    expect(pathsOf('a/README.md', 'a/model_index.json')).toEqual([]);
    expect(pathsOf('README.md', 'model_index.json')).toEqual(['README.md', 'model_index.json']);
  });

  it('are none in LFS', () => {
    const lfs = { sha256: '0'.repeat(64) };
    const files = [
      { ...file('config.json'), lfs },
      { ...file('modules.json', 9_000_000), lfs: 'masked' as const },
      { ...file('README.md'), lfs },
      file('model_index.json'),
    ];
    expect(edgeFiles(files)).toEqual({ files: [], warnings: [] });
  });

  it('have at most 4 MiB; a larger one is a warning', () => {
    const large = file('a/config.json', 4_194_305);
    const small = file('config.json', 4_194_304);
    expect(edgeFiles([small, large])).toEqual({
      files: [small],
      warnings: [
        '"a/config.json" has more than 4194304 bytes, so nix-hug does not see which repositories it names',
      ],
    });
    const many = Array.from({ length: 30 }, (_, n) => file(`${n}/config.json`, 5_000_000));
    expect(edgeFiles(many.slice(0, 20)).warnings.at(-1)).toContain('"19/config.json"');
    expect(edgeFiles(many).warnings).toHaveLength(21);
    expect(edgeFiles(many).warnings.at(-1)).toBe('and 10 more');
  });
});
