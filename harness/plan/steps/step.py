"""What a step of a case is, and the register of the words that a plan may use for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from harness.documents import Node, bind, describe, nearest
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.plan.context import CaseContext

Seen = Mapping[str, Any]
"""What a step saw, for the report: plain json values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a case, as the plan says it; `where` is its place there."""

    word: ClassVar[str] = ""
    where: Node

    @property
    def title(self) -> str:
        """The step in one line, as the plan has it."""
        said = self.where.plain()
        arguments = ", ".join(f"{key}: {value}" for key, value in said.items()) if said else ""
        return f"{self.word} {{{arguments}}}" if arguments else self.word

    @property
    def place(self) -> str:
        """``file:line`` of the step."""
        return f"{self.where.file}:{self.where.line}"

    def hubs(self) -> Mapping[str, Node]:
        """Return the hubs of the rig that the step names, each with the place where it does."""
        entries = self.where.items
        return {str(entries["hub"].value): entries["hub"]} if "hub" in entries else {}

    async def run(self, case: CaseContext) -> Seen:  # noqa: ARG002 - the face of every step
        """Do it; raises a BenchError that says whose fault it is when it does not come out as it must."""
        raise TypeError(f"{type(self).__name__} cannot be run")


STEPS: dict[str, type[Step]] = {}
S = TypeVar("S", bound=type[Step])


def step(word: str) -> Callable[[S], S]:
    """Register a frozen dataclass as what `word` means in a plan."""

    def register(kind: S) -> S:
        if word in STEPS:
            raise ValueError(f"step `{word}` is registered twice")
        kind.word = word
        STEPS[word] = kind
        return kind

    return register


def bind_step(node: Node) -> Step:
    """Read one entry of a case's `steps`: a word, or a mapping of one word to its arguments.

    Raises ConfigError with the place, what was expected, and the nearest word known.
    """
    if isinstance(node.value, str):
        return bind(Node({}, node.file, node.line, node.column), _known(node.value, node))
    if not isinstance(node.value, dict) or len(node.value) != 1:
        found = f"a mapping of {len(node.value)}" if isinstance(node.value, dict) else describe(node)
        raise node.error(
            f"a step is one word with its arguments, such as `- join: {{within: 60 s}}`, not {found}"
        )
    ((word, arguments),) = node.value.items()
    kind = _known(word, node)
    if arguments.value is None:
        arguments = Node({}, node.file, node.line, node.column)
    if not isinstance(arguments.value, dict):
        raise arguments.error(f"the arguments of `{word}` are a mapping, not {describe(arguments)}")
    return bind(arguments, kind)


def _known(word: str, node: Node) -> type[Step]:
    try:
        return STEPS[word]
    except KeyError:
        error: ConfigError = node.error(f"unknown step `{word}`", remedy=nearest(word, STEPS))
        raise error from None
