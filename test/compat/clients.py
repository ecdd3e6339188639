"""Loads models with huggingface_hub and transformers and prints what came of each, as JSON.

    clients.py '[["org/name", "revision" or null], ...]'

The outcome of a load is the path of its snapshot, or the class and text of its error.
"""

import json
import sys

from huggingface_hub import hf_hub_download, snapshot_download
from transformers import AutoConfig, AutoTokenizer


def load(repo, revision):
    options = {} if revision is None else {"revision": revision}
    try:
        folder = snapshot_download(repo, **options)
        hf_hub_download(repo, "config.json", **options)
        AutoConfig.from_pretrained(repo, **options)
        assert AutoTokenizer.from_pretrained(repo, **options)("hello")["input_ids"] == [1]
        return folder
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps([load(*each) for each in json.loads(sys.argv[1])]))
