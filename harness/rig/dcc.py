"""The DCC of a rig: the embedded one, by the short way or over HTTP, or somebody else's over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TypeAlias

from harness.dcc.administration import Administration
from harness.dcc.defects import DccDefect
from harness.dcc.duis.xml_keys import XmlKeyNotFound, XmlKeyStore, load_xml_keys
from harness.dcc.duis_user import DuisUser, UserKeys
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.admin_client import admin_client, read_token
from harness.dcc.http.link import http_link, inbox
from harness.dcc.http.serve import Address, client_tls
from harness.dcc.inventory import SmiStore
from harness.dcc.remote import RemoteDcc
from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.model import Rig
from harness.rig.users import users_of
from harness.smets.cpl import CPL_REGIME, Cpl
from harness.smets.rulebook import Rulebook
from harness.tap import Tap

RigDcc: TypeAlias = EmbeddedDcc | RemoteDcc


async def open_dcc(rig: Rig, rules: Rulebook, cpl: Cpl, tap: Tap, store: SmiStore | None) -> RigDcc:
    """Return the rig's DCC, to be closed by its `close`. Raises ConfigError, RigFault."""
    entry = rig.dcc
    keys = load_xml_keys(entry.keys, entry.zaz1, rig.pki.seed)
    gbcs_keys = load_gbcs_keys(rig.pki.gbcs_keys, rig.pki.seed)
    if entry.url is not None:
        if entry.type != "duis-http":
            raise ConfigError("`url` is for a DCC of type `duis-http`", file=rig.where.file)
        async with AsyncExitStack() as stack:
            remote = _Remote(rig, entry.url, keys, rules, tap, stack)
            return await remote.open(cpl, gbcs_keys)
    embedded = EmbeddedDcc(
        rules=rules,
        cpl=cpl,
        keys=gbcs_keys,
        tap=tap,
        store=store,
        users=users_of(rig),
        defects=[DccDefect(word) for word in entry.defects],
        answer_within_s=entry.answer_within,
        xml_keys=keys,
    )
    if entry.type == "duis-http":
        await embedded.boundary.go_over_http()
    return embedded


class _Remote:
    """The way to a DCC that is another program; what is open is closed by `stack` when the rest fails."""

    def __init__(
        self,
        rig: Rig,
        url: str,
        keys: XmlKeyStore,
        rules: Rulebook,
        tap: Tap,
        stack: AsyncExitStack,
    ) -> None:
        self._rig = rig
        self._entry = rig.dcc
        self._url = url
        self._keys = keys
        self._rules = rules
        self._tap = tap
        self._stack = stack

    async def open(self, cpl: Cpl, gbcs_keys: KeyStore) -> RemoteDcc:
        entry = self._entry
        directory = users_of(self._rig)
        sides = await self._sides([entry.user, *(user.eui64 for user in directory.users)])
        ours = await self._administration() if entry.admin_url is not None else None
        url = await self._inboxes(sides)
        if ours is not None:
            for user in sides:
                await ours.admin.deliver_to(user, f"{url}/{user}")
            await ours.admin.publish_cpl(cpl)
        return RemoteDcc(
            sides,
            rules=self._rules,
            cpl=cpl,
            eui64=entry.user,
            dsp=entry.dsp,
            keys=gbcs_keys,
            users=directory,
            ours=ours,
            close=self._stack.pop_all().aclose,
        )

    async def _sides(self, users: list[Eui64]) -> dict[Eui64, DuisUser]:
        """Return the sides of those users whose signing key the rig has; the first one must be among them."""
        entry = self._entry
        trust = client_tls(entry.trust) if entry.trust else None
        link = await self._stack.enter_async_context(http_link(self._url, trust=trust))
        sides: dict[Eui64, DuisUser] = {}
        for user in users:
            try:
                own = self._keys.signing_key(user)
            except XmlKeyNotFound as error:
                if user != entry.user:
                    continue
                raise ConfigError(str(error), remedy="name a file that has it: `keys` or `zaz1`") from error
            sides[user] = DuisUser(
                link,
                keys=UserKeys(own=own, dsp=self._keys),
                rules=self._rules,
                tap=self._tap,
                answer_within_s=entry.answer_within,
                dsp=entry.dsp,
            )
        return sides

    async def _inboxes(self, sides: Mapping[Eui64, DuisUser]) -> str:
        """Open the inboxes, if anything is to come there, and return their URL."""
        entry = self._entry
        if entry.listen is None and entry.admin_url is None:
            return ""
        others = {str(user): side.take for user, side in sides.items()}
        address = Address(host=entry.listen_at, port=entry.listen or 0)
        return await self._stack.enter_async_context(inbox(sides[entry.user].take, address, others))

    async def _administration(self) -> Administration:
        entry = self._entry
        assert entry.admin_url is not None
        token = read_token(entry.admin_token) if entry.admin_token else None
        admin = await self._stack.enter_async_context(admin_client(entry.admin_url, token))
        regime = (await admin.described())["regime"]
        wanted = self._rules.rule(CPL_REGIME).text()
        if regime != wanted:
            raise ConfigError(
                f"the DCC at {entry.admin_url} goes by the CPL regime {regime}, the rig by {wanted}",
                file=self._rig.where.file,
                remedy="start it with the same --rules",
            )
        link = await admin.hub_link()
        self._stack.push_async_callback(link.close)
        return Administration(admin, link)
