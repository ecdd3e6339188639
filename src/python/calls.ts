import type { RepoType } from '../repo.ts';

/** An argument of a call: its position, where it has one, and the names that it has in libraries. */
export interface Parameter {
  readonly at?: number;
  readonly names: readonly string[];
}

/** How a text names a repository; see `forms.ts`. */
export type NameForm = 'id' | 'address' | 'dataset' | 'hub-prefix' | 'sentence-transformers';

/** What a call loads of a repository; see `parts.ts`. */
export type PartKind = 'whole' | 'file' | 'weight' | 'patterns' | 'data';

/** A function or method that loads a repository of the Hub. */
export interface CallRule {
  /** Packages that the function is of. Without them it is a method, or has a name like no other. */
  readonly packages?: readonly string[];
  /** The class whose method it is, where that has other arguments. */
  readonly object?: RegExp;
  readonly repo: Parameter;
  /** Type of the repository, where no `repo_type` says another. */
  readonly type: RepoType;
  readonly form: NameForm;
  readonly part: PartKind;
  /** What it loads when the argument is not there; nothing where this is not said. */
  readonly missing?: string;
}

const MODEL_NAMES = [
  'pretrained_model_name_or_path',
  'pretrained_model_name',
  'model_name_or_path',
  'model_name',
  'model_id',
  'repo_id',
  'identifier',
];

const model = (rule: Partial<CallRule> & Pick<CallRule, 'repo'>): CallRule => ({
  type: 'model',
  form: 'id',
  part: 'whole',
  ...rule,
});

const sentences = (...packages: string[]): CallRule =>
  model({
    packages,
    repo: { at: 0, names: ['model_name_or_path', 'model_name'] },
    form: 'sentence-transformers',
  });

const dataset: CallRule = {
  packages: ['datasets'],
  repo: { at: 0, names: ['path'] },
  type: 'dataset',
  form: 'dataset',
  part: 'data',
};

const LLM = [
  model({ packages: ['vllm'], repo: { at: 0, names: ['model'] } }),
  model({ packages: ['vllm'], repo: { names: ['tokenizer'] } }),
];

const NAMED_MODEL = [model({ repo: { at: 0, names: MODEL_NAMES } })];

const TIMM = { repo: { at: 0, names: ['model_name'] }, form: 'hub-prefix' } as const;

const OPEN_CLIP = [model({ packages: ['open_clip'], ...TIMM })];

const HUB = { repo: { at: 0, names: ['repo_id'] } };

const WEIGHT = {
  repo: { at: 0, names: ['pretrained_model_name_or_path_or_dict', ...MODEL_NAMES] },
  part: 'weight',
} as const;

/** The calls that load repositories, by the last part of their name. */
export const CALL_RULES: ReadonlyMap<string, readonly CallRule[]> = new Map([
  [
    'from_pretrained',
    [
      // The first argument is the model that the adapter is for.
      model({ object: /^Peft(?:Mixed)?Model/u, repo: { at: 1, names: ['model_id'] } }),
      model({ object: /^Llama$/u, ...HUB, part: 'file' }),
      ...NAMED_MODEL,
    ],
  ],
  ['from_quantized', NAMED_MODEL],
  ['from_model_id', NAMED_MODEL],
  [
    'from_single_file',
    [
      model({
        repo: {
          at: 0,
          names: ['pretrained_model_link_or_path', 'pretrained_model_link_or_path_or_dict'],
        },
        form: 'address',
      }),
    ],
  ],
  ['from_preset', [model({ repo: { at: 0, names: ['preset'] }, form: 'address' })]],
  ['snapshot_download', [model({ ...HUB, part: 'patterns' })]],
  ['hf_hub_download', [model({ ...HUB, part: 'file' })]],
  ['load_dataset', [dataset]],
  ['load_dataset_builder', [dataset]],
  [
    'pipeline',
    [
      model({
        packages: ['transformers', 'optimum'],
        repo: { at: 1, names: ['model'] },
        missing: 'names no model: the library chooses one for the task',
      }),
      ...['tokenizer', 'feature_extractor', 'image_processor', 'processor'].map((name) =>
        model({ packages: ['transformers', 'optimum'], repo: { names: [name] } }),
      ),
    ],
  ],
  ['SentenceTransformer', [sentences('sentence_transformers')]],
  ['HuggingFaceEmbeddings', [sentences('langchain_huggingface', 'langchain_community')]],
  ['CrossEncoder', [{ ...sentences('sentence_transformers'), form: 'id' }]],
  ['SparseEncoder', [{ ...sentences('sentence_transformers'), form: 'id' }]],
  ['load_lora_weights', [model(WEIGHT)]],
  ['load_textual_inversion', [model(WEIGHT)]],
  ['load_ip_adapter', [model({ repo: WEIGHT.repo })]],
  ['create_model', [model({ packages: ['timm', 'open_clip'], ...TIMM })]],
  ['create_model_and_transforms', OPEN_CLIP],
  ['create_model_from_pretrained', OPEN_CLIP],
  ['get_tokenizer', OPEN_CLIP],
  ['LLM', LLM],
  ['EngineArgs', LLM],
  ['AsyncEngineArgs', LLM],
]);

/** Packages with functions of the same names that load from another place than the Hub. */
export const OTHER_HUBS: ReadonlySet<string> = new Set(['modelscope', 'paddlenlp', 'mindnlp']);

/** Calls whose first argument is a folder that they write. */
export const WRITING_CALLS: readonly string[] = [
  'save_pretrained',
  'save_pretrained_merged',
  'save_model',
  'save_to_disk',
  'TrainingArguments',
  'Seq2SeqTrainingArguments',
];

/** Arguments of any call that name a folder that it writes. */
export const WRITING_ARGUMENTS: readonly string[] = ['output_dir', 'save_directory', 'local_dir'];

/** Matches in every source that has one of these calls; most sources have none, and are not parsed. */
export const MAY_CALL = new RegExp(
  String.raw`\b(?:${[...CALL_RULES.keys(), ...WRITING_CALLS, ...WRITING_ARGUMENTS].join('|')})\b`,
  'u',
);
