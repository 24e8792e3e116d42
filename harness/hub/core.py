"""An emulated Communications Hub: device log, trust centre, Smart Energy servers and tunnel on a radio.

Both kinds of hub are this one; a profile says which. Everything that the hub decides is recorded at
`Boundary.HUB`; its traffic is recorded by the radio.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping

from harness.errors import DeviceSilent, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import TransferResult
from harness.hub.admission import Admission
from harness.hub.defects import HubDefect, wrong_suites
from harness.hub.device_log import DeviceLog, DeviceLogEntry, DeviceState
from harness.hub.events import EventBook
from harness.hub.firmware_images import FirmwareImages
from harness.hub.han import Han
from harness.hub.link_keys import HubKeys, KeyKeeper, LinkKeys, check_credentials
from harness.hub.membership import Membership
from harness.hub.profile import HubProfile
from harness.hub.switchboard import Keys, Switchboard
from harness.hub.timekeeper import Timekeeper
from harness.hub.trust_centre import HubEvent, HubEventKind, TrustCentre
from harness.rig.faces import (
    ApsMessage,
    JoinKind,
    JoinNotice,
    NetworkSettings,
    NetworkState,
    Radio,
    RadioInfo,
)
from harness.tap import Boundary, Tap
from harness.zigbee.cbke.authority import BenchAuthority, CredentialStore
from harness.zigbee.cbke.suites import Suite
from harness.zigbee.ota import OtaHeader
from harness.zigbee.swap_out import TrustCentreBackup
from harness.zigbee.zcl_general import ReadRecord

_LOG = logging.getLogger(__name__)
_BENCH_AUTHORITY = BenchAuthority("ppmid-bench")


class CommunicationsHub:
    """A hub on a radio; also the radio's listener. `clock` gives seconds, `wall_clock` Unix time.

    `credentials` has the hub's own certificate for each suite that it offers.
    """

    def __init__(
        self,
        name: str,
        profile: HubProfile,
        radio: Radio,
        tap: Tap,
        clock: Callable[[], float] = time.monotonic,
        *,
        defects: Iterable[HubDefect] = (),
        wall_clock: Callable[[], float] = time.time,
        credentials: CredentialStore = _BENCH_AUTHORITY,
    ) -> None:
        self.name = name
        self.profile = profile
        self._radio = radio
        self._tap = tap
        self._clock = clock
        self._defects = frozenset(defects)
        self._lost: Callable[[], RigFault] | None = None  # what befell the radio
        historic = profile.historic_link_keys and HubDefect.FORGETS_HISTORY not in self._defects
        self._log = DeviceLog(historic_keys=historic)
        self._link_keys = LinkKeys()
        self._credentials = credentials
        self._book = EventBook(name, tap, clock)
        self._keeper = KeyKeeper(radio, self._log, self._link_keys, self._book)
        self._gbcs_listeners: list[Callable[[Eui64, bytes], None]] = []
        self._admission = Admission(
            name, radio, self._log, clock, anybody=HubDefect.SKIP_INSTALL_CODE_CHECK in self._defects
        )
        self._trust = TrustCentre(self._log, self._book.record)
        self._suites = profile.key_establishment_suites
        if HubDefect.OFFERS_WRONG_SUITE in self._defects:
            self._suites = wrong_suites(self._suites)
        self.images = FirmwareImages(clock, self._image_ended)
        self._board = Switchboard(
            name,
            profile,
            self._log,
            self._send,
            keys=Keys(
                credentials=credentials,
                suites=self._suites,
                own=lambda: self.eui64,
                set_key=self._key_established,
                accepts_unsecured=HubDefect.ACCEPTS_UNSECURED in self._defects,
            ),
            book=self._book,
            drops=HubDefect.DROPS_TUNNEL in self._defects,
            clock=clock,
            wall_clock=wall_clock,
            unsolicited=self._unsolicited,
            announced=self._announced,
            images=self.images,
        )
        self._han = Han(name, radio, self._admission.resume_keys)
        self._timekeeper = Timekeeper(clock, self._trust, self._board, self._admission, self.images)
        self._members = Membership(
            name,
            radio,
            self._log,
            trust=self._trust,
            admission=self._admission,
            link_keys=self._link_keys,
            board=self._board,
            clock=clock,
            wake=self._timekeeper.wake,
            ignores_window=HubDefect.IGNORES_WINDOW in self._defects,
            forgets_restored=HubDefect.FORGETS_RESTORED in self._defects,
        )

    # --- life ---------------------------------------------------------------------------------------------

    async def start(self, settings: NetworkSettings) -> NetworkState:
        """Open the radio and bring the HAN up, as `Han.form` has it; raises RigFault."""
        await self._board.stop()  # of an earlier start
        self._lost = self._keeper.trouble = None
        await self._han.open(tuple(entry.descriptor() for entry in self.profile.endpoints), self)
        try:
            check_credentials(self.name, self.eui64, self._suites, self._credentials)
            network = await self._han.form(settings)
        except BaseException:
            await self._radio.close()
            raise
        await self._admission.resume()
        self._board.spawn(self._timekeeper.run, "time")
        _LOG.info("hub %s: %s on channel %d", self.name, self.eui64, network.channel)
        return network

    async def stop(self) -> None:
        """Close the radio and leave no task behind; never raises; may be called twice."""
        await self._board.stop()
        self._board.exchanges.fail(lambda: RigFault(f"hub {self.name} was stopped"))
        await self._radio.close()

    async def switch_off(self) -> None:
        """Be off the air, as without supply, until the next start; raises RigFault.

        A dongle whose port is closed goes on by itself; one that was reset is on no network until told so.
        """
        await self.stop()
        await self._radio.open((), self)
        await self._radio.close()

    async def ping(self) -> None:
        """Prove the radio healthy, and that it took every link key since the start; RigFault when not."""
        self._check()
        if (trouble := self._keeper.trouble) is not None:
            raise RigFault(trouble.message, remedy=trouble.remedy)
        await self._radio.ping()

    # --- what it is ---------------------------------------------------------------------------------------

    @property
    def eui64(self) -> Eui64:
        """The hub's EUI-64, which is its radio's; RigFault before `start`."""
        return self.info.eui64

    @property
    def info(self) -> RadioInfo:
        """What the radio says of itself; RigFault before `start`."""
        return self._han.info

    @property
    def network(self) -> NetworkState:
        """The HAN; RigFault before `start`."""
        return self._han.network

    @property
    def events(self) -> tuple[HubEvent, ...]:
        """What was admitted, refused and why, in order of time."""
        return tuple(self._book.events)

    def listen(self, listener: Callable[[HubEvent], None]) -> Callable[[], None]:
        """Tell `listener` of every event from now, until what is returned is called.

        It is called on the loop and must not block.
        """
        return self._book.listen(listener)

    def listen_gbcs(self, listener: Callable[[Eui64, bytes], None]) -> None:
        """Hand `listener` every GBCS message that comes unasked, with the device it came from.

        Called on the loop; it must not block.
        """
        self._gbcs_listeners.append(listener)

    def device_log(self) -> tuple[DeviceLogEntry, ...]:
        """Return the device log."""
        return self._log.entries

    async def begin_afresh(self) -> None:
        """Forget everybody, history and images, give up another hub's place, as no hub in the field does.

        Whoever is on the HAN is told to leave, and nobody is told that. Raises RigFault.
        """
        for entry in self._log.entries:
            await self.remove_from_device_log(entry.eui64)
        self._log.forget_history()
        self.images.forget()
        await self._han.give_back()

    def historic_device_log(self) -> tuple[DeviceLogEntry, ...]:
        """Return what was removed from the device log, the oldest first."""
        return self._log.historic

    def keys(self) -> HubKeys:
        """Return the network key, and every link key that has been in use since the start."""
        return HubKeys(network_key=self.network.network_key, link_keys=self._link_keys.all())

    def backup(self) -> TrustCentreBackup:
        """Return what a hub that takes this one's place needs of it."""
        return TrustCentreBackup(
            extended_pan_id=self.network.extended_pan_id, link_key_hashes=self._log.link_key_hashes()
        )

    def has_tunnel(self, eui64: Eui64) -> bool:
        """Whether a device has a tunnel open."""
        return self._board.has_tunnel(eui64)

    # --- device log ---------------------------------------------------------------------------------------

    async def add_to_device_log(
        self, eui64: Eui64, install_code: bytes, join_time_s: float, *, in_clear: bool = False
    ) -> DeviceLogEntry:
        """Whitelist a device (CCS01): it may join for `join_time_s` with its install code (without CRC).

        `in_clear` sends it the network key unprotected, as no hub may. Raises ValueError for a bad install
        code, RigFault, StimulusImpossible when the radio cannot do that, or not play the hub's defect.
        """
        self._check()
        return await self._members.whitelist(eui64, install_code, join_time_s, in_clear=in_clear)

    async def remove_from_device_log(self, eui64: Eui64) -> bool:
        """Take a device out of the log (CCS02), off the HAN when it is on it; False when it was not in it."""
        self._check()
        return await self._members.remove(eui64)

    async def restore_device_log(self, backup: TrustCentreBackup) -> None:
        """Take the place of another hub (CCS03), whose devices come by the hashes of their link keys.

        Raises ValueError while a device is on this hub's own HAN, which that would end; RigFault.
        """
        self._check()
        taken = self._members.restore(backup)
        if HubDefect.KEEPS_OWN_NETWORK not in self._defects:
            await self._han.take_over(taken)
            await self._admission.resume()

    async def unjoin(self, eui64: Eui64) -> None:
        """Have a device leave the HAN and wait until it has; it stays in the log as removed.

        Raises DeviceSilent when it is not seen leaving. Nothing happens when it is not on the HAN.
        """
        self._check()
        await self._members.unjoin(eui64)

    # --- firmware -----------------------------------------------------------------------------------------

    async def take_image(self, image: bytes, devices: Iterable[Eui64], keep_s: float) -> None:
        """Hold a Zigbee OTA file for devices on the HAN, for so many seconds, and tell them.

        Raises StimulusImpossible for what is no OTA file, RigFault.
        """
        self._check()
        self.images.take(image, wanted := tuple(devices), keep_s)
        self._board.tell_of_image(*wanted)
        self._timekeeper.wake()

    def _image_ended(self, eui64: Eui64, header: OtaHeader, result: TransferResult) -> None:
        """An image was handed to a device, or is given up."""
        self._book.note(HubEventKind.IMAGE_ENDED, eui64, f"firmware {header.file_version:08X}: {result.text}")

    # --- commands to a device -----------------------------------------------------------------------------

    async def deliver_gbcs(self, eui64: Eui64, message: bytes, timeout_s: float) -> bytes:
        """Carry a GBCS message to a device through its tunnel and return the answer.

        Raises StimulusImpossible on a hub that serves no tunnel: such a hub can send no GBCS octet. Else
        DeviceSilent, RadioUndelivered or RigFault.
        """
        tunnels = self._board.tunnels()
        self._board.check_established(self._joined(eui64))
        return await tunnels.exchange(eui64, message, timeout_s=timeout_s)

    async def command_chf(self, message: bytes, timeout_s: float) -> bytes:  # noqa: ARG002 - see gbcs_hub
        """Refuse: this hub knows no GBCS. Raises StimulusImpossible."""
        raise StimulusImpossible(f"hub {self.name} is a {self.profile.generation} hub: it knows no GBCS")

    async def command_gpf(self, message: bytes, timeout_s: float) -> bytes:  # noqa: ARG002 - see gbcs_hub
        """Refuse: this hub has no GPF that could be told. Raises StimulusImpossible."""
        raise StimulusImpossible(f"hub {self.name} is a {self.profile.generation} hub: it has no GPF")

    async def update_network_key(self) -> None:
        """Give the HAN another network key and use it; devices that are off must come back for it."""
        self._check()
        number = (await self._han.update_network_key(secrets.token_bytes(16))).network_key_sequence
        self._book.note(HubEventKind.NETWORK_KEY, self.eui64, f"key sequence number {number}")

    async def read_attributes(
        self,
        eui64: Eui64,
        cluster: int,
        attributes: Iterable[int],
        *,
        client_side: bool,
        timeout_s: float,
        secured: bool = True,
    ) -> Mapping[int, ReadRecord]:
        """Read attributes of a device by plain ZCL: of its client side or of its server side of a cluster.

        Returns what was answered by attribute, each with a value or a status. With `secured` False a
        Smart Energy cluster is read under the network key alone, to see whether the device refuses that.
        """
        entry = self._joined(eui64)
        return await self._board.read_attributes(
            entry, cluster, attributes, client_side=client_side, timeout_s=timeout_s, secured=secured
        )

    def _joined(self, eui64: Eui64) -> DeviceLogEntry:
        self._check()
        entry = self._log.get(eui64)
        if entry is None or entry.state is not DeviceState.JOINED:
            state = entry.state.value if entry else "not in the device log"
            raise DeviceSilent(f"{eui64} is not on the HAN of hub {self.name} ({state})")
        return entry

    # --- what the radio says ------------------------------------------------------------------------------

    def radio_message(self, message: ApsMessage) -> None:
        """Take an APS message."""
        self._board.message(message)
        self._timekeeper.wake()

    def radio_join(self, notice: JoinNotice) -> None:
        """Take a join, rejoin or leave."""
        self._trust.join_notice(notice, now=self._clock())
        if notice.kind is JoinKind.LEFT:
            self._board.forget(notice.eui64, notice.short_address)
            self._board.exchanges.answer(("left", notice.eui64), notice)
        elif notice.admitted:
            self._board.is_here(notice.short_address)
        self._timekeeper.wake()

    def radio_lost(self, reason: str) -> None:
        """Fail everything that waits, now and from now on."""

        def fault() -> RigFault:
            return RigFault(
                f"hub {self.name} lost its radio: {reason}", remedy="check the dongle and start again"
            )

        self._lost = fault
        self._board.exchanges.fail(fault)

    def _announced(self, eui64: Eui64, short_address: int) -> None:
        self._trust.announced(eui64, short_address, now=self._clock())
        self._board.tell_of_image(eui64)
        self._timekeeper.wake()

    async def _key_established(self, eui64: Eui64, link_key: bytes, suite: Suite) -> None:
        await self._keeper.established(eui64, link_key, suite)
        self._board.tell_of_image(eui64)

    # --- housekeeping -------------------------------------------------------------------------------------

    async def _send(self, message: ApsMessage, timeout_s: float) -> None:
        self._check()
        with self._book.delivering(message, self._log):
            await self._radio.send(message, timeout_s=timeout_s)

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost()

    def _unsolicited(self, eui64: Eui64, message: bytes) -> None:
        self._tap.record(Boundary.HUB, str(eui64), self.name, "GBCS message that nobody asked for", message)
        for listener in self._gbcs_listeners:
            listener(eui64, message)
