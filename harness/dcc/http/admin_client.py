"""The way to the administrative interface of a DCC of ours (`harness.dcc.http.admin`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from harness.dcc.cpl_file import csv_of
from harness.dcc.http.hub_link import HubLink
from harness.errors import ConfigError, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl

_ANSWER_S = 30.0


class AdminClient:
    """Made by `admin_client`. Every method raises RigFault when nobody is there or the token is not taken."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session

    async def described(self) -> dict[str, Any]:
        """Return what the DCC says of itself: its `regime`, `users` and `hubs`."""
        return await self._ask("GET", "")

    async def publish_cpl(self, cpl: Cpl) -> None:
        """Have it go by another list; StimulusImpossible when it refuses it."""
        await self._ask("PUT", "/cpl", data=csv_of(cpl).encode())

    async def change_supplier(self, hub: Eui64, to: str) -> str:
        """Make a user the supplier where a hub is; return the meter point. StimulusImpossible."""
        return str((await self._ask("POST", "/suppliers", json={"hub": str(hub), "to": to}))["mpxn"])

    async def hub_of(self, device: Eui64) -> Eui64 | None:
        """Return the hub that a device of its SMI is on."""
        hub = (await self._ask("GET", f"/devices/{device}"))["hub"]
        return Eui64.parse(hub) if hub else None

    async def deliver_to(self, user: Eui64, url: str) -> None:
        """Have a user's responses and alerts POSTed there."""
        await self._ask("PUT", f"/users/{user}", json={"url": url})

    async def begin_case(self) -> None:
        """Have it forget all devices but the hubs."""
        await self._ask("POST", "/cases")

    async def hub_link(self) -> HubLink:
        """Open the line by which it reaches the rig's hubs."""
        try:
            return HubLink(await self._session.ws_connect(f"{self._url}/hubs", heartbeat=20.0))
        except (TimeoutError, aiohttp.ClientError) as error:
            raise self._nobody(error) from error

    async def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        try:
            async with self._session.request(method, self._url + path, **content) as answer:
                if answer.status in (409, 422):
                    told = await answer.json()
                    says = told.get("error") or _worst(told)
                    raise StimulusImpossible(f"the DCC refused it: {says}")
                if answer.status != 200:
                    says = f"HTTP status {answer.status}: {(await answer.text())[:200]}"
                    raise RigFault(
                        f"the DCC's administrative interface at {self._url} answered {path} with {says}",
                        remedy="are `admin-url` and `admin-token` right?",
                    )
                found: dict[str, Any] = await answer.json()
                return found
        except (TimeoutError, aiohttp.ClientError) as error:
            raise self._nobody(error) from error

    def _nobody(self, error: BaseException) -> RigFault:
        says = str(error) or f"no answer within {_ANSWER_S:g} s"
        return RigFault(
            f"no administrative interface at {self._url}: {says}",
            remedy="is the DCC running with --admin, and is `admin-url` right?",
        )


@asynccontextmanager
async def admin_client(url: str, token: str | None) -> AsyncIterator[AdminClient]:
    """Give a client; its connections are closed at the end."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield AdminClient(url, session)


def _worst(verdict: dict[str, Any]) -> str:
    """Return the first error that the linter found."""
    errors = [one["says"] for one in verdict.get("findings", ()) if one["severity"] == "error"]
    return errors[0] if errors else "no reason given"


def read_token(path: Path) -> str:
    """Return the token in a file; raises ConfigError for a file without one."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"no token: {error}", file=path) from error
    if not token:
        raise ConfigError("no token: the file is empty", file=path)
    return token
