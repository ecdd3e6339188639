import { describe, expect, it } from 'vitest';
import { mentionsIn } from '../../src/python/mentions.ts';

/** What a source loads, one text each: `type id@ref` and the part, where it is not the whole. */
function loads(source: string): string[] {
  return mentionsIn(source).loaded.map(({ type, id, ref, part }) => {
    const shown = Object.entries(part).map(([key, names]) => ` ${key}=${names.join(',')}`);
    return `${type} ${id}${ref === 'main' ? '' : `@${ref}`}${shown.join('')}`;
  });
}

const unknown = (source: string): string[] =>
  mentionsIn(source).unknown.map(({ text, reason }) =>
    reason === undefined ? text : `${text}: ${reason}`,
  );

const P = 'AutoModel.from_pretrained';

describe('repositories that calls name', () => {
  it.each([
    [`${P}("org/name")`, 'model org/name'],
    [`${P}('gpt2')`, 'model gpt2'],
    [
      `x = await ${P}(pretrained_model_name_or_path="org/name", revision="v1.0")`,
      'model org/name@v1.0',
    ],
    [`${P}("org/name", revision=None)`, 'model org/name'],
    [`${P}("org/name", subfolder="unet")`, 'model org/name include=unet/'],
    [`${P}("org/name", gguf_file="a.Q4_K_M.gguf")`, 'model org/name include=a.Q4_K_M.gguf'],
    [`${P}("org/name", **kwargs)`, 'model org/name'],
    [`FastModel.from_pretrained(model_name = "org/name")`, 'model org/name'],
    [`pipe = Pipe.from_pretrained("org/name").to("cuda")`, 'model org/name'],
    ['PeftModel.from_pretrained(base, "org/lora")', 'model org/lora'],
    [
      'from peft import PeftModelForCausalLM as P\nP.from_pretrained(base, model_id="org/l")',
      'model org/l',
    ],
    ['peft.PeftModel.from_pretrained(base, "org/lora")', 'model org/lora'],
    ['AutoPeftModelForCausalLM.from_pretrained("org/lora")', 'model org/lora'],
    ['PeftConfig.from_pretrained("org/lora")', 'model org/lora'],
    [
      'Llama.from_pretrained(repo_id="org/g", filename="*Q4_K_M.gguf")',
      'model org/g include=*Q4_K_M.gguf',
    ],
    [
      'Llama.from_pretrained("org/g", "a.gguf", additional_files=["b.gguf"])',
      'model org/g files=a.gguf,b.gguf',
    ],
    [
      'X.from_single_file("https://huggingface.co/org/name/blob/main/a/b.safetensors")',
      'model org/name files=a/b.safetensors',
    ],
    [
      'X.from_single_file("https://hf.co/org/name/resolve/v2/b.ckpt")',
      'model org/name@v2 files=b.ckpt',
    ],
    ['Backbone.from_preset("hf://org/name")', 'model org/name'],
    ['snapshot_download("org/name")', 'model org/name'],
    [
      'snapshot_download(repo_id="org/d", repo_type="dataset", revision="abc")',
      'dataset org/d@abc',
    ],
    ['HfApi().snapshot_download(repo_id="org/name")', 'model org/name'],
    [
      'huggingface_hub.snapshot_download("org/name", allow_patterns="*.safetensors")',
      'model org/name include=*.safetensors',
    ],
    [
      'snapshot_download("o/n", allow_patterns=["onnx/*", "*.json"], ignore_patterns=("*.bin",))',
      'model o/n include=onnx/*,*.json exclude=*.bin',
    ],
    ['hf_hub_download("org/name", "config.json")', 'model org/name files=config.json'],
    [
      'hf_hub_download(repo_id="org/name", subfolder="a", filename="b.bin", revision="r")',
      'model org/name@r files=a/b.bin',
    ],
    [
      'from datasets import load_dataset\nload_dataset("org/d", "en", split="train", revision="v2")',
      'dataset org/d@v2',
    ],
    ['import datasets as ds\nds.load_dataset("squad")', 'dataset squad'],
    [
      'load_dataset("allenai/c4", data_files="en/c4-train.0*.json.gz")',
      'dataset allenai/c4 include=en/c4-train.0*.json.gz',
    ],
    [
      'load_dataset("org/d", data_dir="en", data_files={"train": ["a.csv"], "test": "b.csv"})',
      'dataset org/d include=en/a.csv,en/b.csv',
    ],
    [
      'load_dataset("parquet", data_files={"train": "hf://datasets/org/d@v1/a.parquet"})',
      'dataset org/d@v1 files=a.parquet',
    ],
    [
      'load_dataset("json", data_files="https://huggingface.co/datasets/org/d/resolve/main/a.json")',
      'dataset org/d files=a.json',
    ],
    [
      'from transformers import pipeline\npipeline("text-generation", model="org/name")',
      'model org/name',
    ],
    [
      'import transformers as tf\ntf.pipeline("text-generation", "org/name", revision="r")',
      'model org/name@r',
    ],
    [
      'from transformers import pipeline as make\nmake(model="org/a", tokenizer="org/b")',
      'model org/a, model org/b',
    ],
    ['SentenceTransformer("all-MiniLM-L6-v2")', 'model sentence-transformers/all-MiniLM-L6-v2'],
    ['SentenceTransformer("bert-base-uncased")', 'model bert-base-uncased'],
    ['SentenceTransformer(model_name_or_path="BAAI/bge-m3")', 'model BAAI/bge-m3'],
    [
      'CrossEncoder("cross-encoder/ms-marco-MiniLM-L6-v2")',
      'model cross-encoder/ms-marco-MiniLM-L6-v2',
    ],
    [
      'pipe.load_lora_weights("org/lora", weight_name="a.safetensors")',
      'model org/lora files=a.safetensors',
    ],
    ['self.pipe.load_lora_weights("org/lora")', 'model org/lora'],
    ['timm.create_model("hf_hub:org/name", pretrained=True)', 'model org/name'],
    ['import timm\ntimm.create_model("hf-hub:org/name@v1")', 'model org/name@v1'],
    [
      'import open_clip\nopen_clip.create_model_and_transforms("hf-hub:org/clip")',
      'model org/clip',
    ],
    ['from vllm import LLM\nLLM(model="org/name", revision="r")', 'model org/name@r'],
    ['from vllm import LLM\nLLM("org/name", tokenizer="org/tok")', 'model org/name, model org/tok'],
  ])('%s', (source, expected) => {
    expect([loads(source).join(', '), unknown(source)]).toEqual([expected, []]);
  });
});

describe('literals and names', () => {
  it.each([
    ['"org/" "name"', 'org/name'],
    ['("org/"\n  "name")', 'org/name'],
    ['"org/" + "name"', 'org/name'],
    ['f"org/name"', 'org/name'],
    ['r"org/name"', 'org/name'],
    ['"""org/name"""', 'org/name'],
    [String.raw`"o\x72g\u002fn\141me"`, 'org/name'],
    ['"org/\\\nname"', 'org/name'],
    ["u'org/name'", 'org/name'],
  ])('reads %s', (literal, id) => {
    expect(loads(`${P}(${literal})`)).toEqual([`model ${id}`]);
  });

  it.each([
    ['of the module', `M = "org/name"\ndef f():\n  ${P}(M)`],
    ['that is final', `M: Final[str] = "org/name"\n${P}(M)`],
    ['of the function around', `def f():\n  m = "org/name"\n  def g():\n    return ${P}(m)`],
    ['of a name', `ORG = "org"\nM = ORG + "/name"\n${P}(M)`],
    ['that another function has too', `M = "org/name"\ndef g(M): pass\n${P}(M)`],
    ['assigned below', `def f(): ${P}(M)\nM = "org/name"`],
    ['of a class, in its body', `class A:\n  M = "org/name"\n  x = ${P}(M)`],
    ['made in an expression', `if (m := "org/name"): ${P}(m)`],
    ['that stands for the same as another', `A = B = "org/name"\n${P}(B)`],
    ['where it was made', `A = "org/name"\nB = A\ndef f(A="x/y"):\n  ${P}(B)`],
  ])('follows a name %s', (_, source) => {
    expect(loads(source)).toEqual(['model org/name']);
  });

  it.each([
    ['bytes', 'b"org/name"', ''],
    ['a format with fields', 'f"org/{name}"', ''],
    ['an attribute', 'args.model', ''],
    ['a sum with a name', '"org/" + name', ''],
    ['a choice', '"org/a" if big else "org/b"', ''],
    [
      'a default of the environment',
      'os.environ.get("MODEL", "org/name")',
      ': "org/name" by default',
    ],
    ['the same by another name', 'os.getenv("M", default)', ''],
  ])('lists %s, and does not use it', (_, argument, reason) => {
    const source = `${P}(${argument})`;
    expect([loads(source), unknown(source)]).toEqual([
      [],
      [`from_pretrained(${argument})${reason}`],
    ]);
  });

  it.each([
    ['assigned twice', `m = "org/a"\nm = "org/b"\n${P}(m)`],
    ['assigned and added to', `m = "org/a"\nm += "b"\n${P}(m)`],
    ['unpacked', `m, n = "org/a", "b"\n${P}(m)`],
    ['of a loop', `for m in ["org/a"]: ${P}(m)`],
    ['of a comprehension', `[${P}(m) for m in ["org/a"]]`],
    ['that a function makes global', `m = "org/a"\ndef f():\n  global m\n  m = "org/b"\n${P}(m)`],
    ['of a method outside of its class', `class A:\n  m = "org/a"\n  def f(self): ${P}(m)`],
    ['of an import', `from config import m\n${P}(m)`],
    ['of a pattern', `m = "org/a"\nmatch x:\n  case [m]: pass\n${P}(m)`],
    ['of a file', `m = "org/a"\nwith open("x") as m: pass\n${P}(m)`],
    ['that is made of itself', `m = m + "x"\n${P}(m)`],
  ])('lists a name %s', (_, source) => {
    expect([loads(source), unknown(source)]).toEqual([[], ['from_pretrained(m)']]);
  });

  it('says what a parameter is by default', () => {
    const source = `def f(m="org/name"): ${P}(m)\ndef g(m): ${P}(m)`;
    expect([loads(source), unknown(source)]).toEqual([
      [],
      ['from_pretrained(m): "org/name" by default', 'from_pretrained(m)'],
    ]);
  });
});

describe('what is no repository', () => {
  it.each([
    ['a comment', `# ${P}("org/name")`],
    ['a text', `"""\n>>> ${P}("org/name")\n"""`],
    ['a definition', 'def from_pretrained(cls, name="org/name"): pass'],
    [
      'paths',
      ['./a', '../a/b', '/a/b', '~/a', 'a/b/c', 'a/', String.raw`C:\\a`, '', 'models/a']
        .map((path) => `${P}("${path}")`)
        .join('\n'),
    ],
    ['values', `${P}(None)\n${P}(3)\n${P}({})\n${P}()`],
    [
      'what another call has loaded',
      `m = ${P}("a/b").eval()\np = pipeline("x", model=m, tokenizer=T.from_pretrained("a/b"))`.replaceAll(
        '"a/b"',
        './x',
      ),
    ],
    [
      'builders',
      'load_dataset("json", data_files="a.json")\nload_dataset("imagefolder", data_dir="x")',
    ],
    [
      'other packages of the same words',
      'import seaborn as sns\nsns.load_dataset("tips")\nfrom mine import load_dataset\nload_dataset("x/y")\nfrom modelscope import snapshot_download, AutoModel\nsnapshot_download("a/b")\nAutoModel.from_pretrained("a/b")',
    ],
    [
      'functions of the program',
      'def load_dataset(x): pass\nload_dataset("a/b")\npipeline = build()\npipeline("a prompt", "a/b")\nself.pipeline("a", "b/c")',
    ],
    ['names of a table', 'timm.create_model("resnet50")\nopen_clip.get_tokenizer("ViT-B-32")'],
    [
      'an address elsewhere',
      'X.from_single_file("https://civitai.com/a/b.safetensors")\nX.from_single_file("a.ckpt")',
    ],
  ])('%s', (_, source) => {
    expect([loads(source), unknown(source).filter((text) => text.includes('"'))]).toEqual([[], []]);
  });
});

describe('what cannot be told', () => {
  it.each([
    [`${P}("org/name", revision=args.rev)`, 'from_pretrained(revision=args.rev): of org/name'],
    [`${P}("org/name", revision="a b")`, 'from_pretrained(revision="a b"): of org/name'],
    [`${P}("model.pt")`, 'from_pretrained("model.pt"): looks like a file'],
    [`super().from_pretrained(*args, **kwargs)`, 'from_pretrained(*args, **kwargs)'],
    ['hf_hub_download("org/name", name)', 'hf_hub_download(name): of org/name'],
    ['hf_hub_download("org/name", "../x")', 'hf_hub_download("../x"): of org/name'],
    [
      'hf_hub_download("org/name", "a", repo_type="space")',
      'hf_hub_download(repo_type="space"): org/name is a Space',
    ],
    [
      'from transformers import pipeline\npipeline("summarization")',
      'pipeline("summarization"): names no model: the library chooses one for the task',
    ],
    [
      'import timm\ntimm.create_model("resnet50", pretrained=True)',
      'create_model("resnet50"): a name of the library, which chooses the repository',
    ],
    [
      'load_dataset("json", data_files="hf://datasets/o/d/*.json")',
      'load_dataset(data_files="hf://datasets/o/d/*.json")',
    ],
    [`${P}(\n  load(\n    x)  # why\n)`, 'from_pretrained(load( x))'],
  ])('%s', (source, expected) => {
    expect([loads(source), unknown(source)]).toEqual([[], [expected]]);
  });

  it('takes the whole repository, and says so, where globs mean something else or are not known', () => {
    for (const patterns of ['globs', '["*.{a,b}"]', '"!x"', '"[^a]*"', '[f"{x}*"]']) {
      const source = `snapshot_download("org/name", allow_patterns=${patterns})`;
      expect([loads(source), unknown(source)]).toEqual([
        ['model org/name'],
        [
          `snapshot_download(allow_patterns=${patterns}): of org/name: all files of the repository are taken`,
        ],
      ]);
    }
  });
});

describe('sources', () => {
  it('has the line of each call', () => {
    const source = `\n${P}(\n  "a/b")\r\nx = (AutoModel\r\n  .from_pretrained("c/d"))\ry = ${P}("e/f")`;
    expect(mentionsIn(source).loaded.map(({ line }) => line)).toEqual([2, 5, 6]);
  });

  it('has the folders that a program writes', () => {
    const source = `Trainer(output_dir="./out/a/")\nmodel.save_pretrained("b")\nsave(x, "c")`;
    expect(mentionsIn(source).written).toEqual(['out/a', 'b']);
  });

  it.each([
    ['an open bracket', `x = (\n\n${P}("org/name")\n`],
    ['an open text', `x = "abc\n${P}("org/name")\n`],
    ['a broken line', `def f(:\n  pass\n)) else ?\n${P}("org/name")\n`],
    ['Python 2', `print "x"\nexec "y"\n${P}("org/name")\n`],
    ['wrong indentation', `    a = 1\n  b = 2\n${P}("org/name")\n`],
    ['a byte order mark', `\uFEFF${P}("org/name")`],
    ['a null character', `a = 1\0\n${P}("org/name")`],
  ])('reads around %s', (_, source) => {
    expect(loads(source)).toEqual(['model org/name']);
  });

  it.each([
    ['brackets', '('.repeat(100_000)],
    ['calls', 'from_pretrained('.repeat(20_000)],
    ['sums', `from_pretrained(${'"a"+'.repeat(20_000)}"b")`],
    [
      'names',
      `${Array.from({ length: 60 }, (_, at) => `n${at} = n${at + 1} + n${at + 1}`).join('\n')}\nfrom_pretrained(n0)`,
    ],
    ['attributes', `from_pretrained(a${'.b'.repeat(20_000)}())`],
    ['blocks', Array.from({ length: 500 }, (_, at) => `${' '.repeat(at)}if x:`).join('\n')],
    ['lists', `snapshot_download("a/b", allow_patterns=${'['.repeat(20_000)})`],
  ])('ends with deep %s', (_, source) => {
    expect(() => mentionsIn(`${source}\nfrom_pretrained("a/b")`)).not.toThrow();
  });
});
