"""The DCC of a rig: the embedded one, by the short way or over HTTP, or somebody else's over HTTP."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TypeAlias

from harness.dcc.defects import DccDefect
from harness.dcc.duis.xml_keys import XmlKeyNotFound, XmlKeyStore, load_xml_keys
from harness.dcc.duis_user import DuisUser, UserKeys
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.link import http_link, inbox
from harness.dcc.http.serve import Address, client_tls
from harness.dcc.inventory import SmiStore
from harness.dcc.remote import RemoteDcc
from harness.errors import ConfigError
from harness.gbcs import KeyStore
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.model import DccEntry, Rig
from harness.rig.users import users_of
from harness.smets.cpl import Cpl
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
        return await _remote(entry, entry.url, keys, gbcs_keys, rules, cpl, tap)
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


async def _remote(
    entry: DccEntry,
    url: str,
    keys: XmlKeyStore,
    gbcs_keys: KeyStore,
    rules: Rulebook,
    cpl: Cpl,
    tap: Tap,
) -> RemoteDcc:
    try:
        own = keys.signing_key(entry.user)
    except XmlKeyNotFound as error:
        raise ConfigError(str(error), remedy="name a file that has it: `keys` or `zaz1`") from error
    async with AsyncExitStack() as stack:
        trust = client_tls(entry.trust) if entry.trust else None
        link = await stack.enter_async_context(http_link(url, trust=trust))
        user = DuisUser(
            link,
            keys=UserKeys(own=own, dsp=keys),
            rules=rules,
            tap=tap,
            answer_within_s=entry.answer_within,
            dsp=entry.dsp,
        )
        if entry.listen is not None:
            await stack.enter_async_context(inbox(user.take, Address(port=entry.listen)))
        held = stack.pop_all()
    return RemoteDcc(
        user,
        rules=rules,
        cpl=cpl,
        eui64=entry.user,
        dsp=entry.dsp,
        keys=gbcs_keys,
        close=held.aclose,
    )
