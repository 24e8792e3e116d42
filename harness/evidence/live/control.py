"""What a live page may do to the run that it shows."""

from __future__ import annotations

from typing import Any, Protocol

PAGE = "page"  # who it was, to those who are told that somebody paused, stopped or answered
_LONGEST_REMARK = 1000


class Control(Protocol):
    """Steers a run; there is none for a run that has ended."""

    @property
    def paused(self) -> bool:
        """Whether no further case may begin."""

    def pause(self, by: str) -> None:
        """Let no further case begin."""

    def resume(self) -> None:
        """Go on."""

    def stop(self, by: str) -> bool:
        """End the run now; False when there is none to end."""

    def answer(self, question: str, *, yes: bool, remark: str, by: str) -> bool:
        """Answer a question; False when it is settled already."""


def obey(control: Control, asked: Any) -> None:
    """Do what a viewer asks for, in plain json values; what is no such request is passed over."""
    match asked:
        case {"do": "pause"}:
            control.pause(PAGE)
        case {"do": "resume"}:
            control.resume()
        case {"do": "stop"}:
            control.stop(PAGE)
        case {"do": "answer", "question": str(question), "yes": bool(yes), "remark": str(remark)}:
            control.answer(question, yes=yes, remark=remark[:_LONGEST_REMARK], by=PAGE)
