"""Loads repositories that need others, without a network.

    load.py '[{"program": ..., "repo": ..., "folder": ..., "env": {...}}, ...]'

Runs each load in a process of its own, with `folder` as its working directory and `env` added to its
environment, and prints a JSON list: {"value": ...}, which depends on every file that the load should read,
or {"error": text}.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

SENTENCE = "the model is offline"


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def logits(model):
    import torch

    with torch.no_grad():
        return numbers(model(torch.tensor([[4, 5, 6, 7]])).logits)


def auto_model(repo):
    from transformers import AutoModelForCausalLM

    return logits(AutoModelForCausalLM.from_pretrained(repo))


def auto_peft_model(repo):
    from peft import AutoPeftModelForCausalLM

    return logits(AutoPeftModelForCausalLM.from_pretrained(repo))


def remote_model(repo):
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(repo, trust_remote_code=True)
    return numbers(model(torch.ones(2)))


def remote_tokenizer(repo):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(repo, trust_remote_code=True)(SENTENCE)["shifted"]


def sentence_transformer(repo):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(repo, trust_remote_code=True).encode(SENTENCE).tolist()


def modular_pipeline(repo):
    from diffusers import ModularPipeline

    pipeline = ModularPipeline.from_pretrained(repo)
    # Says nothing but a warning of a component that it cannot load.
    pipeline.load_components()
    return {
        name: component and [numbers(tensor)[0] for tensor in component.parameters()]
        for name, component in [("vae", pipeline.vae), ("unet", pipeline.unet)]
    }


def processor(repo):
    import torch
    from transformers import AutoProcessor

    audio = AutoProcessor.from_pretrained(repo).audio_tokenizer
    with torch.no_grad():
        return numbers(audio.encode(torch.ones(1, 1, 8)).quantized_representation)


def open_clip(repo):
    import open_clip

    name = f"local-dir:{repo}" if os.path.isdir(repo) else f"hf-hub:{repo}"
    tokens = open_clip.get_tokenizer(name)(SENTENCE)
    model, _ = open_clip.create_model_from_pretrained(name)
    return numbers(model.encode_text(tokens))


def outcome(program, repo):
    try:
        return {"value": globals()[program](repo)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def load(request):
    """Returns what a child process makes of a request."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.chdir(request["folder"])
        os.environ.update(request["env"])
        result = outcome(request["program"], request["repo"])
        with open(writer, "w") as file:
            json.dump(result, file)
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        result = json.load(file)
    os.waitpid(child, 0)
    return result


# Libraries that read no variable of `env` are imported once, for all.
import sklearn  # noqa: E402, F401
import torchvision  # noqa: E402, F401

with ThreadPoolExecutor(2) as pool:
    json.dump(list(pool.map(load, json.loads(sys.argv[1]))), sys.stdout)
