"""What a pack keeps of secrets, by a policy; masked where they would be written, everywhere in the same way.

`keep` keeps everything. `han`, the default, keeps what opens the captures, the keys of the bench's own
networks, which are worth nothing when the run is over, and masks what a device has for life: its install
code, the link key that is derived from it, private keys. `mask` masks network and link keys too: a capture
then stays encrypted.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from enum import Enum
from typing import Any

from harness.zigbee.install_code import link_key

MASKED = "[masked]"
_SHORTEST = 6  # octets; what is shorter would be found where it is not
# Where a text names an install code or holds a private key, it is masked whoever's it is.
_NAMED = re.compile(
    r"(?i)(install[-_ ]?code\b[^0-9A-Fa-f]{0,4}(?:[^\n]{0,60}?\bvalue\W{1,3})?)"
    r"((?:[0-9A-F]{2}[-: ]?){5,17}[0-9A-F]{2})\b"
)
_PRIVATE = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)


class Policy(Enum):
    """What is kept of secrets."""

    KEEP = "keep"
    HAN = "han"
    MASK = "mask"


class Secrets:
    """Knows what is secret in this run and masks it. Safe to use from several threads."""

    def __init__(self, policy: Policy = Policy.KEEP) -> None:
        self.policy = policy
        self._octets: tuple[bytes, ...] = ()
        self._forms: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add_install_code(self, code: bytes) -> None:
        """Know a device's install code (without CRC), and what follows from it."""
        if self.policy is not Policy.KEEP and len(code) >= _SHORTEST:
            self._add((code, bytes(reversed(code)), link_key(code)))

    def add_private(self, value: bytes) -> None:
        """Know a private key, or what else of a device lasts longer than the run."""
        if self.policy is not Policy.KEEP:
            self._add((value,))

    def add_han_key(self, key: bytes) -> bool:
        """Know a key of a network on the bench; return whether the pack may hold it."""
        if self.policy is Policy.MASK:
            self._add((key,))
        return key not in self._octets

    def _add(self, values: Iterable[bytes]) -> None:
        with self._lock:
            known = dict.fromkeys((*self._octets, *(value for value in values if len(value) >= _SHORTEST)))
            forms = [form for value in known for form in _written(value)]
            self._forms = re.compile("|".join(forms)) if forms else None
            self._octets = tuple(known)

    def text(self, text: str) -> str:
        """Return a text with secrets masked, however they are written: hex, with or without signs, base64."""
        if self.policy is Policy.KEEP:
            return text
        if self._forms is not None:
            text = self._forms.sub(MASKED, text)
        if "install" in text.lower():
            text = _NAMED.sub(rf"\g<1>{MASKED}", text)
        return _PRIVATE.sub(MASKED, text) if "PRIVATE KEY" in text else text

    def plain(self, value: Any) -> Any:
        """Return plain json values with secrets masked in all their texts."""
        if self.policy is Policy.KEEP:
            return value
        return json.loads(self.text(json.dumps(value, default=str)))

    def octets(self, data: bytes) -> bytes:
        """Return octets with secrets masked by as many zero octets, raw or as characters of hex."""
        if self.policy is Policy.KEEP:
            return data
        for secret in self._octets:
            if secret in data:
                data = data.replace(secret, bytes(len(secret)))
            for written in (secret.hex().encode(), secret.hex().upper().encode()):
                if written in data:
                    data = data.replace(written, b"0" * len(written))
        return data


def _written(secret: bytes) -> Iterable[str]:
    """Yield patterns of how a text may write octets."""
    yield "(?i:" + "[-: ]?".join(f"{octet:02x}" for octet in secret) + ")"
    for before in range(3):  # base64 has three alignments; the characters that neighbours share are left out
        shifted = base64.b64encode(bytes(before) + secret).decode().rstrip("=")
        whole = shifted[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        yield re.escape(whole)
