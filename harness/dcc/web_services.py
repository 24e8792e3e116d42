"""The DSP's web services, as a DCC Boxed has them, and which command variants each one is for.

Source: facts gb-domain §1.2, §7.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from harness.dcc.duis.requests import CommandVariant


class WebService(Enum):
    """A web service; the value is the end of its path."""

    SEND = "serviceS"
    NON_DEVICE = "serviceD"
    TRANSFORM = "serviceT"

    @property
    def path(self) -> str:
        """The path of its URL."""
        return f"/api/v1/{self.value}"

    def takes(self, variant: CommandVariant) -> bool:
        """Whether requests of this command variant go here."""
        return service_of(variant) is self


def service_of(variant: CommandVariant) -> WebService:
    """Return the web service for a command variant."""
    if variant is CommandVariant.TRANSFORM:
        return WebService.TRANSFORM
    return WebService.SEND if variant.sends else WebService.NON_DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a web service answers at once: an HTTP status, and a document or, when it is none, a text."""

    status: int
    content: bytes

    @property
    def is_document(self) -> bool:
        """Whether the content is a DUIS document."""
        return self.status == 200


class Link(Protocol):
    """The way from a service user to a DSP. Raises RigFault when nobody is there."""

    async def post(self, service: WebService, document: bytes) -> Reply:
        """Send a request and return what is answered at once."""


class Switch:
    """A Link that leads to another one, which may be changed between two requests."""

    def __init__(self, to: Link) -> None:
        self.to = to

    async def post(self, service: WebService, document: bytes) -> Reply:
        """Send a request the way it leads now."""
        return await self.to.post(service, document)
