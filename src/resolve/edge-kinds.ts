import { asPlainObject, isPlainObject } from '../plain-object.ts';
import { forTerminal } from '../quote.ts';

/** Where a file names another repository, before anything of it is checked. */
export interface Mention {
  /** Place in the file, for messages. */
  readonly key: string;
  /** Id of the repository; nothing is named by `null`, an empty text or a key that is not there. */
  readonly repo: unknown;
  /** Branch, tag or commit; `main` when it is left out as `repo` can be. */
  readonly revision?: unknown;
  /** Folder of the repository that is loaded; the whole repository when it is left out. */
  readonly folder?: unknown;
  /** `code` for a repository of which plain files are enough. */
  readonly take: 'weights' | 'code';
}

/** What a file asks for that no lock can satisfy. */
export interface Unsupported {
  readonly key: string;
  readonly name: string;
  /** The reason, as a phrase about the name. */
  readonly reason: string;
}

/** One way in which files name other repositories. */
interface EdgeKind {
  /** Base names of the files, in any folder. */
  readonly names: readonly string[];
  /** Reads the content of such a file. */
  readonly read: (data: EdgeData) => Iterable<Mention | Unsupported>;
}

/** A JSON object, or the items of a JSON list. */
export type EdgeData = Readonly<Record<string, unknown>>;

/** Base names of the files that are a JSON list; all others are an object. */
export const LIST_FILES: ReadonlySet<string> = new Set(['modules.json']);

/** Of the root, the class of a diffusers pipeline. */
export const PIPELINE_INDEX = 'model_index.json';

/** Of the root, names the prior of a combined pipeline. */
export const PIPELINE_CARD = 'README.md';

/**
 * Pipelines for which diffusers loads the `prior` of the README: all classes of diffusers 0.42 with
 * `_load_connected_pipes`.
 */
export const COMBINED_PIPELINE =
  /^(?:Kandinsky(?:V22)?(?:Img2Img|Inpaint)?|StableCascade|Wuerstchen)CombinedPipeline$/u;

/**
 * Every key by which a loader goes from one repository to another, read in the sources of transformers
 * 5.24, peft 0.21, sentence-transformers 6.2, diffusers 0.42, open_clip 3.3 and vLLM.
 */
const KINDS: readonly EdgeKind[] = [
  {
    names: ['adapter_config.json'],
    // AutoModel ignores `revision` and asks for main; AutoPeftModel asks for `revision`.
    *read({ base_model_name_or_path: repo, revision }) {
      const base = { key: 'base_model_name_or_path', repo, take: 'weights' } as const;
      yield base;
      yield { ...base, revision };
    },
  },
  {
    // X-LoRA of peft: other adapters by name.
    names: ['adapter_config.json'],
    *read({ adapters }) {
      for (const [name, repo] of Object.entries(asPlainObject(adapters))) {
        yield { key: `adapters.${forTerminal(name)}`, repo, take: 'weights' };
      }
    },
  },
  {
    names: [
      'config.json',
      'tokenizer_config.json',
      'processor_config.json',
      'preprocessor_config.json',
      'video_preprocessor_config.json',
    ],
    read: ({ auto_map: classes }) => remoteClasses(classes, 'auto_map', MAX_DEPTH),
  },
  {
    names: ['modules.json'],
    *read(modules) {
      for (const module of Object.values(modules)) {
        yield* remoteClasses(asPlainObject(module)['type'], 'type', 0);
      }
    },
  },
  {
    names: ['router_config.json'],
    *read({ type, types }) {
      yield* remoteClasses(type, 'type', 0);
      yield* remoteClasses(types, 'types', 1);
    },
  },
  {
    names: ['processor_config.json'],
    *read({ audio_tokenizer: tokenizer }) {
      yield* audioTokenizer(asPlainObject(tokenizer), 'audio_tokenizer.');
    },
  },
  {
    names: ['audio_tokenizer_config.json'],
    read: (tokenizer) => audioTokenizer(tokenizer, ''),
  },
  {
    names: ['modular_model_index.json'],
    *read(components) {
      for (const [name, component] of Object.entries(components)) {
        if (Array.isArray(component) && component.length === 3) {
          const spec = asPlainObject(component[2]);
          const id = ['pretrained_model_name_or_path', 'repo'].find((key) => !isLeftOut(spec[key]));
          if (id === undefined) continue;
          yield {
            key: `${forTerminal(name)}.${id}`,
            repo: spec[id],
            revision: spec['revision'],
            folder: spec['subfolder'],
            take: 'weights',
          };
        }
      }
    },
  },
  {
    // Read only for a combined pipeline.
    names: [PIPELINE_CARD],
    *read({ prior }) {
      for (const repo of [prior].flat()) yield { key: 'prior', repo, take: 'weights' };
    },
  },
  {
    names: ['config.json'],
    *read({ speculators_config: speculators }) {
      const verifier = asPlainObject(asPlainObject(speculators)['verifier']);
      const key = 'speculators_config.verifier.name_or_path';
      yield { key, repo: verifier['name_or_path'], take: 'weights' };
    },
  },
  {
    names: ['open_clip_config.json'],
    *read({ model_cfg: model }) {
      const text = asPlainObject(asPlainObject(model)['text_cfg']);
      const place = 'model_cfg.text_cfg';
      const [tokenizer, tower] = ['hf_tokenizer_name', 'hf_model_name'];
      yield { key: `${place}.${tokenizer}`, repo: text[tokenizer], take: 'weights' };
      // The weights of the text tower are in the repository itself: config.json is enough.
      yield { key: `${place}.${tower}`, repo: text[tower], take: 'code' };
    },
  },
  {
    names: ['config.json'],
    *read({ backbone, backbone_config: config }) {
      if (typeof backbone !== 'string' || backbone === '' || !isLeftOut(config)) return;
      const reason = 'for which transformers asks the Hub, as there is no backbone_config';
      yield { key: 'backbone', name: backbone, reason };
    },
  },
];

/** The kinds by base name of a file. */
export const KINDS_OF: ReadonlyMap<string, readonly EdgeKind[]> = new Map(
  KINDS.flatMap(({ names }) => names).map((name) => [
    name,
    KINDS.filter(({ names }) => names.includes(name)),
  ]),
);

/** Whether a value names nothing. */
export const isLeftOut = (value: unknown): boolean =>
  value === undefined || value === null || value === '';

/** Levels below `auto_map`: a map of backends, and a list of a slow and a fast tokenizer. */
const MAX_DEPTH = 3;

/**
 * The classes `org/name--module.Class` in a text, a list or a map. A class without `--` is in the
 * repository itself.
 *
 * @param depth levels of lists and maps that are entered
 */
function* remoteClasses(value: unknown, key: string, depth: number): Iterable<Mention> {
  if (typeof value === 'string') {
    const [repo = '', module, ...rest] = value.split('--', 3);
    if (module === undefined) return;
    // transformers fails without an id and for several `--`; the whole text is no id either.
    const isPair = repo !== '' && rest.length === 0;
    yield { key, repo: isPair ? repo : value, take: 'code' };
  } else if (depth > 0 && Array.isArray(value)) {
    for (const item of value) yield* remoteClasses(item, key, depth - 1);
  } else if (depth > 0 && isPlainObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      yield* remoteClasses(item, `${key}.${forTerminal(name)}`, depth - 1);
    }
  }
}

function* audioTokenizer(tokenizer: EdgeData, place: string): Iterable<Mention> {
  const key = 'audio_tokenizer_name_or_path';
  yield { key: `${place}${key}`, repo: tokenizer[key], take: 'weights' };
}
