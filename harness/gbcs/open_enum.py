"""Numbers of GBCS messages with names in words: what a device answered is never lost."""

from __future__ import annotations

from harness import open_enum


class OpenEnum(open_enum.OpenEnum):
    """Named numbers; any other number that is not negative becomes ``UNKNOWN_n``, and `known` is False."""

    @property
    def known(self) -> bool:
        """Whether this number has a name."""
        return not self._name_.startswith("UNKNOWN_")

    @property
    def text(self) -> str:
        """The name in words, such as ``device log full``."""
        return self._name_.lower().replace("_", " ")
