"""Finds a model and a dataset by their ids, as any program does, and needs no network for it."""

from pathlib import Path

from huggingface_hub import snapshot_download

model = Path(snapshot_download("nix-hug-examples/tiny-llama"))
rows = Path(snapshot_download("nix-hug-examples/rows", repo_type="dataset"))

print("model:", *sorted(path.name for path in model.glob("*.safetensors")))
print("rows:", (rows / "data" / "train.jsonl").read_text().count("\n"))
