"""A rig as its file says it: what is on the bench, and which driver reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.documents import HexBytes, Node, Seconds
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.access import UserRole, UserStatus

_INSTALL_CODE_OCTETS = 16
_ANSWER_WITHIN = Seconds(20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidDevice:
    """The device under test, as its maker's label and the CPL have it.

    `install_code` has 16 octets, without its CRC; `manufacturer` 4, `model` (hardware version included) and
    `firmware` 8 hex digits.
    """

    eui64: Eui64
    install_code: HexBytes
    manufacturer: str
    model: str
    firmware: str

    def __post_init__(self) -> None:
        if len(self.install_code) != _INSTALL_CODE_OCTETS:
            raise ValueError(
                f"`install-code` has {_INSTALL_CODE_OCTETS} octets, not {len(self.install_code)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HubEntry:
    """An emulated hub: what it is and the radio it is on. Its CHF has the radio's EUI-64.

    `gpf` is that of its GPF; left out, it is the radio's with the universal/local bit turned.
    """

    profile: str  # `smets1`, `smets2`, or a file beside the rig's
    radio: Node
    channel: int
    gpf: Eui64 | None = None
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidEntry:
    """The PPMID under test: what it is, and its port."""

    device: PpmidDevice
    port: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEntry:
    """A meter beside the PPMID, described as a PPMID is.

    Without a `supply` that can be switched it must be on, and look for a hub by itself.
    """

    type: Literal["ESME", "GSME"]
    eui64: Eui64
    install_code: HexBytes
    manufacturer: str
    model: str
    firmware: str
    supply: Node | None = None

    def __post_init__(self) -> None:
        if len(self.install_code) != _INSTALL_CODE_OCTETS:
            raise ValueError(
                f"`install-code` has {_INSTALL_CODE_OCTETS} octets, not {len(self.install_code)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """A user of the DCC, by the name that it has in plans; `roles` are DUIS's, such as ``IS``."""

    eui64: Eui64
    roles: tuple[UserRole, ...]
    status: UserStatus = UserStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisesEntry:
    """A place with meter points, to be found by 8.2 under its UPRN or address."""

    mpxns: tuple[str, ...]
    uprn: int | None = None
    post_code: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationEntry:
    """That a user is the supplier at a meter point from a day on, such as 2026-01-05."""

    mpxn: str
    user: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DccEntry:
    """The DCC: embedded, with a CPL file and, to prove that plans notice, defects.

    Of type `duis-http` it is reached over HTTP: ours on loopback, or, with `url`, somebody else's, whose
    later answers come to the port `listen`. There `user` and `dsp` are the EUI-64s of the two, and `keys` (a
    folder), `zaz1` (a key store) or else the seed of `pki` their XML-signing keys; `trust` is an authority
    for https.
    One of ours can be administered at `admin_url`, with the token in the file `admin_token` if it wants one:
    then it is lent the rig's hubs, and is told of an inbox of the rig's, at the address `listen_at`.
    `rules` are rulebook overlays that this DCC goes by; a user's own are laid over them. Without `users` it
    has those of `harness.dcc.users.BENCH_USERS`.
    """

    type: Literal["embedded", "duis-http"] = "embedded"
    url: str | None = None
    listen: int | None = None
    listen_at: str = "127.0.0.1"
    admin_url: str | None = None
    admin_token: Path | None = None
    user: Eui64 = SUPPLIER
    dsp: Eui64 = ACB
    keys: Path | None = None
    zaz1: Path | None = None
    trust: Path | None = None
    cpl: Path
    cpl_map: Path | None = None
    rules: tuple[Path, ...] = ()
    users: Mapping[str, UserEntry] = field(default_factory=dict)
    premises: tuple[PremisesEntry, ...] = ()
    registrations: tuple[RegistrationEntry, ...] = ()
    defects: tuple[str, ...] = ()
    answer_within: Seconds = _ANSWER_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class PkiEntry:
    """Where keys come from: `seed` for the bench's own, never secret, keys.

    `certificates` are files with Smart Energy certificates of the hubs' dongles; `gbcs_keys` are folders and
    files with keys of GBCS parties, asked before the bench's.
    """

    seed: str = "ppmid-bench"
    certificates: tuple[Path, ...] = ()
    gbcs_keys: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A rig file (`ppmid-bench/rig@1`), with at most one meter of a type.

    `secrets` is what packs keep of them (docs/read-the-evidence.md).
    """

    name: str
    dcc: DccEntry
    hubs: Mapping[str, HubEntry]
    ppmid: PpmidEntry
    pki: PkiEntry = field(default_factory=PkiEntry)
    secrets: Literal["keep", "han", "mask"] = "han"
    environment: Node | None = None
    sniffer: Node | None = None
    power: Node | None = None
    meters: Mapping[str, MeterEntry] = field(default_factory=dict)
    where: Node
