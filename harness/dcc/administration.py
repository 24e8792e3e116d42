"""What a rig has of a DCC of ours that is another program, beside what a service user has."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.http.admin_client import AdminClient
from harness.dcc.http.hub_link import HubLink
from harness.smets.cpl import Cpl


@dataclass(frozen=True, slots=True)
class Administration:
    """Its administrative interface, and the line by which it reaches the rig's hubs."""

    admin: AdminClient
    link: HubLink

    async def begin_case(self, cpl: Cpl | None) -> None:
        """Have it forget all devices, and go by this list again if one is given."""
        if cpl is not None:
            await self.admin.publish_cpl(cpl)
        await self.link.settle()
        await self.admin.begin_case()
        self.link.forget()
