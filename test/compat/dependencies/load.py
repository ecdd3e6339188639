"""Loads repositories that need others, without a network.

    load.py '[{"folder": ..., "env": {...}, "loads": [[program, repo, options], ...]}, ...]'

Runs each list of loads in a process of its own, with `folder` as its working directory and `env` added to
its environment. Prints a JSON list of lists of outcomes: {"value": ...}, which depends on every file that
the load should read, or {"error": text}.
"""

import json
import multiprocessing
import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor

SENTENCE = "the model is offline"


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def logits(model):
    import torch

    with torch.no_grad():
        return numbers(model(torch.tensor([[4, 5, 6, 7]])).logits)


def auto_model(repo, **options):
    from transformers import AutoModelForCausalLM

    return logits(AutoModelForCausalLM.from_pretrained(repo, **options))


def auto_peft_model(repo, **options):
    from peft import AutoPeftModelForCausalLM

    return logits(AutoPeftModelForCausalLM.from_pretrained(repo, **options))


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

    return SentenceTransformer(repo, trust_remote_code=True).encode_document(SENTENCE).tolist()


def modular_pipeline(repo):
    from diffusers import ModularPipeline

    pipeline = ModularPipeline.from_pretrained(repo)
    # Warns of a component that it cannot load, and leaves it out.
    pipeline.load_components()
    missing = [
        spec.pretrained_model_name_or_path
        for name, spec in pipeline._component_specs.items()
        if spec.pretrained_model_name_or_path and getattr(pipeline, name) is None
    ]
    if missing:
        raise RuntimeError(f"no components of {missing}")
    return [numbers(weights)[0] for part in [pipeline.vae, pipeline.unet] for weights in part.parameters()]


def processor(repo):
    import torch
    from transformers import AutoProcessor

    audio = AutoProcessor.from_pretrained(repo).audio_tokenizer
    with torch.no_grad():
        return numbers(audio.encode(torch.ones(1, 1, 8)).quantized_representation)


def open_clip_name(repo):
    return f"local-dir:{repo}" if os.path.isdir(repo) else f"hf-hub:{repo}"


def open_clip_tokenizer(repo):
    import open_clip

    return numbers(open_clip.get_tokenizer(open_clip_name(repo))(SENTENCE))


def open_clip_model(repo):
    import open_clip
    import torch

    model, _ = open_clip.create_model_from_pretrained(open_clip_name(repo))
    return numbers(model.encode_text(torch.tensor([[4, 5, 6, 7]])))


def describe(error):
    """Returns an error and those that it was raised from, each with the ids that huggingface_hub was
    asked for: its messages do not tell them."""
    while error is not None:
        frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
        ids = sorted({names["repo_id"] for names in frames if "repo_id" in names})
        yield f"{type(error).__name__} of {ids}: {error}"
        error = error.__cause__ or error.__context__


def outcome(program, repo, options):
    import torch

    # The classifier of an X-LoRA begins anew: peft 0.21 does not load the one that it saves.
    torch.manual_seed(0)
    try:
        return {"value": globals()[program](repo, **options)}
    except Exception as error:
        return {"error": "\n".join(describe(error))}


def run(job):
    os.chdir(job["folder"])
    os.environ.update(job["env"])
    return [outcome(*load) for load in job["loads"]]


if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    # These read no variable of `env`, so one import serves every process.
    context.set_forkserver_preload(["sklearn", "torchvision"])
    with ProcessPoolExecutor(2, context, max_tasks_per_child=1) as pool:
        json.dump(list(pool.map(run, json.loads(sys.argv[1]))), sys.stdout)
