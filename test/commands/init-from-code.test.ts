import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/manifest/parse.ts';
import { makePipe } from '../support/pipe.ts';
import { runCli } from '../support/run-cli.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const LOAD = 'AutoModel.from_pretrained';

/** Writes files, each with its text; folders are made. */
async function project(files: Readonly<Record<string, string>>, name?: string): Promise<string> {
  const folder = await tempFolder(name);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}

const fromCode = (cwd: string, ...args: readonly string[]) =>
  runCli(['init', '--from-code', ...args], { cwd });

const manifestOf = (folder: string, file = 'hug.yaml') => readFile(path.join(folder, file), 'utf8');

describe('init --from-code', () => {
  it('writes a manifest with an entry for each repository, and where it is loaded', async () => {
    const folder = await project(
      {
        'src/ä b/train.py': `M = "org/model"\n${LOAD}(M)\n${LOAD}(M, revision="v1")`,
        'src/data.py': '\nload_dataset("squad")\nhf_hub_download("org/files", "a.json")',
        'src/note.ipynb': JSON.stringify({
          cells: [
            { cell_type: 'code', source: '!pip install x' },
            { cell_type: 'code', source: ['import y\n', `${LOAD}("gpt2")`] },
          ],
        }),
      },
      'code ä ö',
    );
    const { status, stdout, stderr } = await fromCode(folder, 'src');
    expect([status, stderr]).toEqual([0, 'next: nix-hug lock\n']);
    expect(stdout).toContain('hug.yaml written: 5 entries from 3 files\n');
    const text = await manifestOf(folder);
    for (const line of [
      '  model: org/model # src/ä b/train.py:2',
      '  model-v1: # src/ä b/train.py:3',
      '  files: # src/data.py:3',
      '  gpt2: gpt2 # src/note.ipynb:cell 2:2',
      '  squad: squad # src/data.py:2',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    const { entries } = parseManifest(text, 'hug.yaml');
    expect(entries.map(({ type, repo, want, select }) => [type, repo, want, select])).toEqual([
      ['model', 'org/files', { ref: 'main' }, { files: ['a.json'] }],
      ['model', 'gpt2', { ref: 'main' }, undefined],
      ['model', 'org/model', { ref: 'main' }, undefined],
      ['model', 'org/model', { ref: 'v1' }, undefined],
      ['dataset', 'squad', { ref: 'main' }, undefined],
    ]);
    expect(await readdir(folder)).toEqual(['hug.yaml', 'src']);
  });

  it('finds every literal of ten files with over twenty kinds of calls, and no other', async () => {
    const folder = await project({
      'a_models.py': `from transformers import AutoModel, AutoTokenizer, pipeline
AutoModel.from_pretrained("org/m1")
AutoTokenizer.from_pretrained(pretrained_model_name_or_path="org/m2", revision="v2")
pipeline("text-generation", model="org/m3")
pipeline("text-generation", "org/m4")
`,
      'b_hub.py': `import huggingface_hub as hub
from huggingface_hub import hf_hub_download as get, snapshot_download
hub.snapshot_download("org/m5")
snapshot_download(repo_id="org/d1", repo_type="dataset")
get("org/m6", "a.bin")
hub.hf_hub_download(repo_id="org/m7", filename="b.bin", revision="dev")
hub.HfApi().snapshot_download("org/m8")
`,
      'c_data.py': `from datasets import load_dataset
import datasets
load_dataset("org/d2")
datasets.load_dataset("org/d3", split="train")
datasets.load_dataset_builder("org/d4")
`,
      'd_sentences.py': `from sentence_transformers import SentenceTransformer, CrossEncoder
SentenceTransformer("org/m9")
CrossEncoder("org/m10")
`,
      'e_diffusers.py': `from diffusers import DiffusionPipeline, ControlNetModel
pipe = DiffusionPipeline.from_pretrained("org/m11", variant="fp16")
ControlNetModel.from_pretrained("org/m12")
pipe.load_lora_weights("org/m13", weight_name="l.safetensors")
`,
      'f_peft.py': `from peft import PeftModel, AutoPeftModelForCausalLM
base = object()
PeftModel.from_pretrained(base, "org/m14")
AutoPeftModelForCausalLM.from_pretrained("org/m15")
`,
      'g_vllm.py': `from vllm import LLM
LLM("org/m16")
LLM(model="org/m17", tokenizer="org/m18")
`,
      'h_names.py': `from transformers import AutoModel
NAME = "org/m19"
AutoModel.from_pretrained(NAME)
def load(name="org/no-default"):
    return AutoModel.from_pretrained(name)
`,
      'i_not.py': `# AutoModel.from_pretrained("org/no-comment")
text = 'AutoModel.from_pretrained("org/no-string")'
print("org/no-print")
open("org/no-open")
class Mine:
    def from_pretrained(self, name): ...
from mlx import snapshot_download as other
`,
      'j_book.ipynb': JSON.stringify({
        cells: [{ cell_type: 'code', source: ['AutoModel.from_pretrained("org/m20")\n'] }],
      }),
    });
    const { status, stderr } = await fromCode(folder, '.');
    expect(status, stderr).toBe(0);
    const { entries } = parseManifest(await manifestOf(folder), 'hug.yaml');
    const named = entries.map(({ repo }) => repo).toSorted();
    const expected = [
      ...Array.from({ length: 20 }, (_, index) => `org/m${index + 1}`),
      'org/d1',
      'org/d2',
      'org/d3',
      'org/d4',
    ];
    expect(named).toEqual(expected.toSorted());
    const text = await manifestOf(folder);
    for (const entry of entries) {
      const line = text.split('\n')[entry.position.line - 1] ?? '';
      expect(line, entry.repo).toMatch(/# \w+\.(?:py:\d+|ipynb:cell 1:1)$/u);
    }
    expect(
      entries
        .filter(({ type }) => type === 'dataset')
        .map(({ repo }) => repo)
        .toSorted(),
    ).toEqual(['org/d1', 'org/d2', 'org/d3', 'org/d4']);
  });

  it('lists what the sources do not tell, and writes none of it', async () => {
    const folder = await project({
      'a.py': `${LOAD}(args.model)\ndef f(m="org/name"): ${LOAD}(m)\n${LOAD}("out/best")\n${LOAD}("here")`,
      'b.py': 'trainer.train(output_dir="./out")',
      'here/x': '',
    });
    const { stderr } = await fromCode(folder, '.');
    expect(stderr).toBe(
      [
        '4 calls load what the sources do not tell; add it by hand where it is a repository:',
        '  a.py:1: from_pretrained(args.model)',
        '  a.py:2: from_pretrained(m) ("org/name" by default)',
        '  a.py:3: "out/best" (a folder that the program writes)',
        '  a.py:4: "here" (there is a file or folder of this name)',
        'next: nix-hug add org/name',
        '',
      ].join('\n'),
    );
    expect(parseManifest(await manifestOf(folder), 'hug.yaml').entries).toEqual([]);
  });

  it('loads from the Hub what is downloaded into a folder of the same name', async () => {
    const folder = await project({ 'a.py': 'snapshot_download("org/name", local_dir="org/name")' });
    expect((await fromCode(folder, '.', '--json')).json().added).toHaveLength(1);
  });

  it('adds to a manifest that is there, and leaves entries of the same repository alone', async () => {
    const before =
      '# mine\nmodels:\n    a: Org/One # keep\n\n    b:\n        repo: org/two\n        ref: v1\n';
    const folder = await project({
      '.config/hug.yaml': before,
      'a.py': `${LOAD}("org/one")\n${LOAD}("org/two")\n${LOAD}("org/a")\nload_dataset("o/d", revision="v1")`,
    });
    const { stdout, stderr } = await fromCode(folder, 'a.py');
    const text = await manifestOf(folder, '.config/hug.yaml');
    expect(text).toBe(
      `${before}\n    org-a: org/a # ../a.py:3\n\ndatasets:\n    d: # ../a.py:4\n        repo: o/d\n        ref: v1\n`,
    );
    expect(stdout).toContain('=  models.a');
    expect(stderr).toContain(
      'warning: models.b has v1 of org/two, and ../a.py:2 loads main; for both: nix-hug add org/two --ref main --name b-2\n',
    );
    const again = await fromCode(folder, 'a.py', '--json');
    expect(again.json()).toMatchObject({ written: [], kept: ['.config/hug.yaml'], added: [] });
    expect(await manifestOf(folder, '.config/hug.yaml')).toBe(text);
  });

  it('adds to a manifest in flow style, which has no place for comments', async () => {
    const folder = await project({
      'hug.yaml': '{"models": {"a": "org/a"}}\n',
      'a.py': `${LOAD}("org/b")`,
    });
    expect((await fromCode(folder, '.')).status).toBe(0);
    expect(await manifestOf(folder)).toBe('{"models": {"a": "org/a", "b": "org/b"}}\n');
  });

  it('makes the manifest that is named, and a flake', async () => {
    const folder = await project({ 'a.py': `${LOAD}("org/a")` });
    const { json } = await fromCode(folder, 'a.py', '--flake', '--manifest', 'dev.yaml', '--json');
    expect(json()).toMatchObject({ written: ['dev.yaml', 'flake.nix'], kept: [] });
    const text = await manifestOf(folder, 'dev.yaml');
    expect(text).toContain('dev.lock.json');
    expect(text).toContain('a: org/a # a.py:1');
    expect(await manifestOf(folder, 'flake.nix')).toContain('dev.lock.json');
  });

  it('walks folders in the order of names, and passes over what is not the code of the user', async () => {
    const call = (name: string) => `${LOAD}("org/${name}")`;
    const folder = await project({
      'b/z.py': call('z'),
      'b/a/y.py': call('y'),
      'a.py': call('x'),
      'a.txt': call('no'),
      '.hidden/a.py': call('no'),
      '.hidden.py': call('no'),
      'node_modules/a.py': call('no'),
      'venv/a.py': call('no'),
      '__pycache__/a.py': call('no'),
      'env/pyvenv.cfg': '',
      'env/lib/a.py': call('no'),
    });
    const outside = await project({ 'a.py': call('no') });
    await symlink(outside, path.join(folder, 'link'));
    await symlink(path.join(outside, 'a.py'), path.join(folder, 'link.py'));
    await makePipe(path.join(folder, 'pipe.py'));
    const { json } = await fromCode(folder, '.', 'b/z.py', '--json');
    expect(json().sources).toBe(3);
    expect(json().added.map(({ repo }: { repo: string }) => repo)).toEqual([
      'org/x',
      'org/y',
      'org/z',
    ]);
  });

  it('reads files that are named whatever they are called, and through links', async () => {
    const folder = await project({ script: `${LOAD}("org/a")`, 'venv/b.py': `${LOAD}("org/b")` });
    await symlink('script', path.join(folder, 'link'));
    const { json } = await fromCode(folder, 'link', 'venv', '--json');
    expect(json().added).toHaveLength(2);
  });

  it('warns of files that it skips, and reads the others', async () => {
    const folder = await project({
      'big.py': '#'.repeat(4 * 1024 * 1024 + 1),
      'bad.ipynb': '{',
      'good.py': `${LOAD}("org/a")`,
    });
    const { status, stderr } = await fromCode(folder, '.');
    expect(status).toBe(0);
    expect(stderr).toContain(`warning: ${folder}/bad.ipynb is skipped: it is not a notebook`);
    expect(stderr).toContain(`warning: ${folder}/big.py is skipped: it has over 4 MiB`);
  });

  it.skipIf(process.getuid?.() !== 0)('warns of what may not be read', async () => {
    const folder = await project({
      'a.py': `${LOAD}("org/a")`,
      'b.py': `${LOAD}("org/b")`,
      'c/c.py': `${LOAD}("org/c")`,
    });
    await chmod(folder, 0o777);
    await chmod(path.join(folder, 'b.py'), 0);
    await chmod(path.join(folder, 'c'), 0);
    const world = { cwd: folder, env: { HOME: folder }, uid: 65_534 };
    const found = await spawnCli(['init', '--from-code', '.', '--json'], world).ended;
    expect(JSON.parse(found.stdout)).toMatchObject({ sources: 1, added: [{ repo: 'org/a' }] });
    for (const name of ['b.py', 'c']) {
      expect(found.stderr).toContain(`warning: ${folder}/${name} is skipped: EACCES`);
    }
    const named = await spawnCli(['init', '--from-code', 'b.py'], world).ended;
    expect([named.status, named.stderr]).toEqual([1, expect.stringContaining('EHUG_FILE_SYSTEM')]);
  });

  it('cannot be misled by the name of a file', async () => {
    const folder = await project({ 'a\nmodels: {}\u001b[2J #.py': `${LOAD}("org/a")` });
    const { stdout } = await fromCode(folder, '.');
    expect(stdout).not.toContain('\u001b');
    const { entries } = parseManifest(await manifestOf(folder), 'hug.yaml');
    expect(entries.map(({ repo }) => repo)).toEqual(['org/a']);
  });

  it('writes nothing when a path is missing, a pipe, or has no sources', async () => {
    const folder = await project({ 'empty/a.txt': '' });
    await makePipe(path.join(folder, 'pipe'));
    const codes = [];
    for (const name of ['gone', 'pipe', 'empty']) {
      const { status, json } = await fromCode(folder, name, '--json');
      codes.push([status, json().error.code]);
    }
    expect(codes).toEqual([
      [1, 'EHUG_FILE_SYSTEM'],
      [1, 'EHUG_FILE_SYSTEM'],
      [2, 'EHUG_USAGE'],
    ]);
    expect(await readdir(folder)).toEqual(['empty', 'pipe']);
  });

  it('stops when the user interrupts', async () => {
    const folder = await project({ 'a.py': `${LOAD}("org/a")` });
    const signal = AbortSignal.abort();
    const { status } = await runCli(['init', '--from-code', '.'], { cwd: folder, signal });
    expect([status, await readdir(folder)]).toEqual([130, ['a.py']]);
  });

  it('reads ten thousand files, and lists the first hundred calls', async () => {
    const folder = await tempFolder();
    for (let at = 0; at < 100; at += 1) {
      await mkdir(path.join(folder, `d${at}`));
      await Promise.all(
        Array.from({ length: 100 }, (_, file) =>
          writeFile(
            path.join(folder, `d${at}`, `f${file}.py`),
            file === 0 ? `${LOAD}(x)\n${LOAD}(x)\n${LOAD}("org/m${at}")` : 'x = 1\n',
          ),
        ),
      );
    }
    const { status, stdout, stderr } = await fromCode(folder, '.', '.');
    expect(status).toBe(0);
    expect(stdout).toContain('100 entries from 10000 files');
    expect(stderr.match(/from_pretrained\(x\)/gu)).toHaveLength(100);
    expect(stderr).toContain('  and 100 more; --json has all of them\n');
    expect(parseManifest(await manifestOf(folder), 'hug.yaml').entries).toHaveLength(100);
  });
});
