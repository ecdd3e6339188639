"""Calls functions of huggingface_hub and tells what came of it.

Reads a JSON list of {"call": function, "args": {...}} from stdin and writes a JSON list of
{"value": ...} or {"error": class, "message": text} to stdout.
"""

import dataclasses
import json
import sys
import types

import huggingface_hub


def plain(value):
    if isinstance(value, (list, frozenset, types.GeneratorType)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def perform(call, args):
    try:
        return {"value": plain(getattr(huggingface_hub, call)(**args))}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


outcomes = [perform(request["call"], request["args"]) for request in json.load(sys.stdin)]
json.dump(outcomes, sys.stdout, default=str)
