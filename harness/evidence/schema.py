"""The JSON schema of ``run.json`` and of a timeline's lines, generated from what writes them.

``python -m harness.evidence.schema`` prints it; ``docs/run-1.schema.json`` is the published copy. The number
is that of `format` in ``run.json``: it changes when a field goes or means something else, not when one comes.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from harness.evidence.layout import FORMAT
from harness.evidence.secrets import Policy
from harness.evidence.verdict import CaseResult, StepResult
from harness.tap import Boundary

_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ANY: dict[str, Any] = {}

_SIGNER = ("issuer", "serial", "owner", "public")  # a certificate; the key as an uncompressed point, hex


def run_schema() -> dict[str, Any]:
    """Return the schema of ``run.json``; ``$defs/event`` is that of a line of a timeline."""
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    requirement = _object({"text": text, "source": text}, required=("text", "source"))
    place = _object({"file": text, "title": text}, required=("file", "title"))
    moment = {"type": "string", "format": "date-time"}
    signer = _object(dict.fromkeys(_SIGNER, text), required=_SIGNER)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "run.json of an evidence pack of the PPMID bench",
        **_object(
            {
                "format": {"const": FORMAT},
                "state": {"enum": ["running", "finished"]},
                "began": moment,
                "ended": moment,
                "elapsed_s": {"type": "number", "minimum": 0},
                "exit_code": {"type": "integer"},
                "current_case": {"type": ["string", "null"]},
                "versions": {"type": "object", "additionalProperties": text},
                "secrets": {"enum": [policy.value for policy in Policy]},
                "rig": _object({"name": text, "file": text, "hubs": texts}, required=("name", "file")),
                "signers": {"type": "array", "items": signer},
                "plans": {"type": "array", "items": place},
                "selected": texts,
                "rulebook": text,
                "overlays": texts,
                "requirements": {
                    "type": "object",
                    "additionalProperties": requirement,
                },
                "reason": text,
                "cases": {"type": "array", "items": {"$ref": "#/$defs/case"}},
            },
            required=("format", "state", "began", "current_case", "versions", "secrets", "cases"),
        ),
        "if": {"properties": {"state": {"const": "finished"}}},
        "then": {"required": ["ended", "elapsed_s", "exit_code"]},
        "$defs": {"case": _of(CaseResult), "step": _of(StepResult), "event": _event()},
    }


def _event() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    properties = {
        "n": number,
        "t": {"type": "number", "minimum": 0},
        "at": {"type": "number"},
        "boundary": {"enum": [boundary.value for boundary in Boundary]},
        "source": text,
        "destination": text,
        "summary": text,
        "data": {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
        "masked": {"const": True},
        "cut": number,
        "step": number,
        "cause": number,
        "details": {"type": "object"},
    }
    return _object(properties, required=tuple(properties)[:7])


def _object(properties: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def _of(kind: type[Any]) -> dict[str, Any]:
    """Return the schema of a dataclass as its json has it: every field."""
    hints = get_type_hints(kind)
    names = [entry.name for entry in fields(kind)]
    return _object({name: _typed(hints[name]) for name in names}, required=tuple(names))


def _typed(hint: Any) -> dict[str, Any]:
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if hint is StepResult:
        return {"$ref": "#/$defs/step"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_typed(argument) for argument in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _typed(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _typed(arguments[1])}
    if hint is Any:
        return _ANY
    raise TypeError(f"no schema for {hint}")


def main() -> None:
    """Print the schema."""
    sys.stdout.write(json.dumps(run_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
