"""The bench's YAML files, read with the place of everything in them.

Every file starts with ``schema: ppmid-bench/KIND@1``. It is read as the YAML 1.2 core schema (``on`` and
``yes`` are words, ``12:30`` is not a number), duplicate keys are refused, and `bind` turns a node into
a frozen dataclass, refusing unknown keys with the nearest known one. Whatever is wrong is a
ConfigError that names file, line, column, what was expected and what was found.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import keyword
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union

import yaml

try:
    from yaml import CSafeLoader as _SafeLoader  # libyaml's, several times as fast
except ImportError:  # a PyYAML that was built without it
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

from harness.errors import ConfigError
from harness.eui64 import Eui64

Scalar = str | int | float | bool | None
T = TypeVar("T")

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h)$")
_UNIT_S = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_SHOWN = 80  # characters of a value in a message


class Seconds(float):
    """A duration. In a file: ``90 s``, ``500 ms``, ``2 min`` or ``1 h``; the unit is required."""

    @classmethod
    def parse(cls, text: str) -> Seconds:
        """Raise ValueError when `text` is not a number and a unit."""
        found = _DURATION.match(text)
        if not found:
            raise ValueError("a duration with its unit, such as `90 s`, `500 ms` or `2 min`")
        return cls(float(found[1]) * _UNIT_S[found[2]])


class HexBytes(bytes):
    """Octets. In a file: hex digits, with or without blanks, hyphens or colons."""

    @classmethod
    def parse(cls, text: str) -> HexBytes:
        """Raise ValueError when `text` is not hex."""
        try:
            return cls(bytes.fromhex(re.sub(r"[-: ]", "", text)))
        except ValueError:
            raise ValueError("octets as hex digits") from None


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a document and its place. `line` and `column` count from 1."""

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    file: Path
    line: int
    column: int

    def error(self, message: str, *, remedy: str | None = None) -> ConfigError:
        """Return (not raise) an error at this place."""
        return ConfigError(message, file=self.file, line=self.line, column=self.column, remedy=remedy)

    @property
    def items(self) -> dict[str, Node]:
        """The mapping's entries; raises ConfigError when this is not a mapping."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected a mapping, found {describe(self)}")
        return self.value

    @property
    def entries(self) -> tuple[Node, ...]:
        """The list's entries; raises ConfigError when this is not a list."""
        if not isinstance(self.value, tuple):
            raise self.error(f"expected a list, found {describe(self)}")
        return self.value

    def plain(self) -> Any:
        """The value without places: dict, list and scalars, as json would have them."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def describe(node: Node) -> str:
    """Say what a node is, for an error message."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    return "nothing" if node.value is None else _clipped(repr(node.value))


def _clipped(text: str) -> str:
    """A file that is something else altogether is not printed whole."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def nearest(word: str, known: typing.Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` or, when nothing is near, the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return "known here: " + ", ".join(f"`{name}`" for name in names) if names else ""


def load_document(path: Path, kind: str) -> Node:
    """Read a file whose first key is ``schema: ppmid-bench/KIND@1`` and return its root, `schema` left out.

    Raises ConfigError when the file is missing, is not YAML, or is of another kind or version.
    """
    root = load_yaml(path)
    expected = f"ppmid-bench/{kind}@1"
    entries = dict(root.items)
    schema = entries.pop("schema", None)
    if schema is None:
        raise root.error(f"no `schema:` line; expected `schema: {expected}` first")
    if schema.value != expected:
        raise schema.error(f"expected `schema: {expected}`, found {describe(schema)}")
    return Node(entries, root.file, root.line, root.column)


def load_yaml(path: Path) -> Node:
    """Read one YAML document into nodes; raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=path) from None
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Node:
    """Read YAML from a string; `path` is used in messages only."""
    try:
        composed = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigError(
            f"not YAML: {error.problem}",
            file=path,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {error}", file=path) from None
    if composed is None:
        raise ConfigError("the file is empty", file=path, line=1)
    return _node(composed, path)


class _CoreLoader(_SafeLoader):
    """SafeLoader with the scalars of the YAML 1.2 core schema, and none besides."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own declaration


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _node(source: yaml.Node, path: Path) -> Node:
    line, column = source.start_mark.line + 1, source.start_mark.column + 1
    if isinstance(source, yaml.MappingNode):
        entries: dict[str, Node] = {}
        for key_node, value_node in source.value:
            place = {
                "file": path,
                "line": key_node.start_mark.line + 1,
                "column": key_node.start_mark.column + 1,
            }
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError("a key must be a word", **place)
            key = key_node.value
            if key in entries:
                raise ConfigError(f"`{key}` is given twice (first in line {entries[key].line})", **place)
            entries[key] = _node(value_node, path)
        return Node(entries, path, line, column)
    if isinstance(source, yaml.SequenceNode):
        return Node(tuple(_node(entry, path) for entry in source.value), path, line, column)
    return Node(_scalar(source), path, line, column)


def _scalar(source: yaml.Node) -> Scalar:
    text = str(source.value)
    match source.tag.rpartition(":")[2]:
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case "int":
            return int(text, 16) if text.lower().startswith("0x") else int(text)
        case "float":
            return float(text)
    return text


def bind(node: Node, target: type[T]) -> T:
    """Turn a mapping into the dataclass `target`, checking every key and every type.

    Fields may be str, int, float, bool, Seconds, HexBytes, Eui64, Path (relative to the file), Enum
    (by value), Literal, Node (left as it is), nested dataclasses, ``tuple[X, ...]``,
    ``Mapping[str, X]`` and ``X | None``. A field's default makes its key optional. A field
    named ``where`` of type Node receives the node itself. A dash in a key stands for an underscore, and a
    key that is a word of Python's (``as``, ``for``) is bound to the field with an underscore after it.
    """
    result = _convert(node, target)
    assert isinstance(result, target)
    return result


def _bind_dataclass(node: Node, target: type[Any]) -> Any:
    hints = typing.get_type_hints(target)
    fields = {field.name: field for field in dataclasses.fields(target) if field.init}
    own_place = fields.pop("where", None)
    values: dict[str, Any] = {"where": node} if own_place is not None else {}
    for key, entry in node.items.items():
        name = key.replace("-", "_")
        if keyword.iskeyword(name):
            name += "_"
        if name not in fields:
            known = [field.rstrip("_") for field in fields]
            raise entry.error(f"unknown key `{key}`", remedy=nearest(key, known))
        values[name] = _convert(entry, hints[name], key=key)
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if name not in values and required:
            raise node.error(f"`{name.rstrip('_')}` is missing")
    try:
        return target(**values)
    except ValueError as error:
        raise node.error(str(error)) from None


def _convert(node: Node, hint: Any, key: str = "value") -> Any:
    if hint is Node:
        return node
    if hint is Any:
        return node.plain()
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(node, arguments, key)
    if origin is typing.Literal:
        if node.value not in arguments:
            wanted = " or ".join(f"`{choice}`" for choice in arguments)
            raise node.error(f"`{key}` must be {wanted}, found {describe(node)}")
        return node.value
    if origin is tuple:
        return tuple(_convert(entry, arguments[0], key) for entry in node.entries)
    if origin in (dict, Mapping):
        return {name: _convert(entry, arguments[1], name) for name, entry in node.items.items()}
    if dataclasses.is_dataclass(hint) and hint is not Eui64:
        return _bind_dataclass(node, typing.cast("type[Any]", hint))
    return _convert_scalar(node, hint, key)


def _convert_union(node: Node, choices: tuple[Any, ...], key: str) -> Any:
    if node.value is None and type(None) in choices:
        return None
    rest = [choice for choice in choices if choice is not type(None)]
    for choice in rest[:-1]:
        try:
            return _convert(node, choice, key)
        except ConfigError:
            continue
    return _convert(node, rest[-1], key)


_WANTED = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _convert_scalar(node: Node, hint: Any, key: str) -> Any:
    value = node.value
    if isinstance(value, dict | tuple) or value is None:
        raise node.error(f"`{key}` must be {_WANTED.get(hint, 'a value')}, found {describe(node)}")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _convert_enum(node, hint, key)
    if hint in (Seconds, HexBytes, Eui64):
        try:
            return hint.parse(str(value))
        except ValueError as error:
            raise node.error(f"`{key}` must be {error}, found {describe(node)}") from None
    if hint is Path:
        return node.file.parent / str(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is hint:
        return value
    raise node.error(f"`{key}` must be {_WANTED.get(hint, str(hint))}, found {describe(node)}")


def _convert_enum(node: Node, hint: type[enum.Enum], key: str) -> enum.Enum:
    for member in hint:
        if member.value == node.value:
            return member
    wanted = ", ".join(f"`{member.value}`" for member in hint)
    raise node.error(f"`{key}` must be one of {wanted}; found {describe(node)}")


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    if isinstance(node.value, dict):
        for entry in node.value.values():
            yield from walk(entry)
    elif isinstance(node.value, tuple):
        for entry in node.value:
            yield from walk(entry)
