"""Makes small models and datasets, and loads them.

Reads a JSON list of [function, keyword arguments] from its only argument and writes a JSON list of
the results to stdout. Imports stand in the functions: no Python here has all of the libraries.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

LIBRARIES = [
    "datasets",
    "gguf",
    "huggingface_hub",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
]
WORDS = ["<unk>", "<s>", "</s>", "the", "cache", "is", "read", "only", "and", "offline"]
SENTENCE = "the cache is read only and offline"


def versions():
    """Of the libraries that are there."""
    return {
        library.name: library.version
        for library in importlib.metadata.distributions()
        if library.name in LIBRARIES
    }


def make_llama(folder):
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
    )
    LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="30KB")
    words = models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>")
    tokenizer = Tokenizer(words)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)


def make_gguf(file):
    import gguf
    import numpy

    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(1)
    writer.add_tensor("token_embd.weight", numpy.arange(12, dtype=numpy.float32).reshape(3, 4))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_parquet(folder, splits):
    """Makes a file of each list of ids in each split."""
    import pyarrow
    import pyarrow.parquet

    Path(folder, "data").mkdir()
    for split, parts in splits.items():
        for number, ids in enumerate(parts):
            table = pyarrow.table({"id": ids, "text": [f"row {id}" for id in ids]})
            name = f"{split}-{number:05}-of-{len(parts):05}.parquet"
            pyarrow.parquet.write_table(table, Path(folder, "data", name))


def logits(model):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(model)(SENTENCE, return_tensors="pt")
    with torch.no_grad():
        return AutoModelForCausalLM.from_pretrained(model)(tokens["input_ids"]).logits.tolist()


def tokens(model):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    ids = tokenizer(SENTENCE)["input_ids"]
    return {"ids": ids, "text": tokenizer.decode(ids)}


def config(model):
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(model).to_dict()


def tensors(file):
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        return {name: opened.get_tensor(name).tolist() for name in opened.keys()}


def gguf(file):
    from gguf import GGUFReader

    return {tensor.name: tensor.data.tolist() for tensor in GGUFReader(file).tensors}


def rows(path, name=None, **options):
    from datasets import load_dataset

    return {split: list(part) for split, part in load_dataset(path, name, **options).items()}


def snapshot_rows(dataset, name=None, revision=None):
    from huggingface_hub import snapshot_download

    return rows(snapshot_download(dataset, repo_type="dataset", revision=revision), name)


results = [globals()[function](**arguments) for function, arguments in json.loads(sys.argv[1])]
json.dump(results, sys.stdout)
