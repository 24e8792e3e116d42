"""A stand-in for bellows' EZSP object: answers commands at once, remembers them, and can be broken."""

from __future__ import annotations

import asyncio
import contextlib

import bellows.types as t
import zigpy.state
from bellows.exception import InvalidCommandError

OWN = bytes.fromhex("0291785634 12DB00".replace(" ", ""))  # 00-DB-12-34-56-78-91-02, little-endian
OK = t.EmberStatus.SUCCESS


class FakeEzsp:
    def __init__(self, config, owner, fragment):
        self.config = config
        self.owner = owner
        self.fragment = fragment
        self.ezsp_version = 13
        self.calls = []
        self.callbacks = []
        self.disconnected = 0
        self.connect_error = None
        self.connect_hangs = False
        self.hanging = set()  # commands that never answer
        self.unknown = {"getMfgToken"}
        self.joined = None  # (EmberNetworkParameters, network key, bitmask)
        self.up = False
        self.security = None
        self.board_error = None
        self.key_table = {}
        self.sent_status = []  # of the next unicasts; OK when exhausted; None: no messageSentHandler
        self.hand_over_status = []
        self.reports_twice = False
        self.sequence = 40
        self._waiters = []

    # --- lifecycle
    async def connect(self, *, use_thread):
        assert use_thread is False
        if self.connect_hangs:
            await asyncio.Event().wait()
        if self.connect_error is not None:
            raise self.connect_error

    async def disconnect(self):
        self.disconnected += 1

    def add_callback(self, callback):
        self.callbacks.append(callback)

    def callback(self, name, *values):
        for callback in self.callbacks:
            callback(name, list(values))

    @contextlib.contextmanager
    def wait_for_stack_status(self, status):
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((status, future))
        yield future

    def stack_status(self, status):
        for wanted, future in self._waiters:
            if wanted == status and not future.done():
                future.set_result(status)

    # --- commands
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        answer = getattr(type(self), f"do_{name}", None)

        async def command(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            if name in self.hanging:
                await asyncio.Event().wait()
            if name in self.unknown:
                raise InvalidCommandError(f"{name} command is an invalidCommand")
            return answer(self, *args, **kwargs) if answer else [OK]

        return command

    def do_getEui64(self):
        return [t.EUI64.deserialize(OWN)[0]]

    def do_get_board_info(self):
        if self.board_error is not None:
            raise self.board_error
        return ("maker", "board", "7.4.4.0 build 0")

    def do_maximumPayloadLength(self):
        return [82]

    def do_networkState(self):
        return [
            t.EmberNetworkStatus.JOINED_NETWORK
            if self.up and self.joined
            else t.EmberNetworkStatus.NO_NETWORK
        ]

    def do_initialize_network(self):
        if self.joined is None:
            return t.sl_Status.NOT_JOINED
        self.stack_status(t.sl_Status.NETWORK_UP)
        self.up = True
        return t.sl_Status.OK

    def do_leaveNetwork(self):
        self.joined, self.up = None, False
        self.key_table.clear()

    def do_setInitialSecurityState(self, state):
        self.security = state
        return [OK]

    def do_formNetwork(self, parameters):
        mask = t.EmberCurrentSecurityBitmask(int(self.security.bitmask) & 0x0004)
        self.joined, self.up = (parameters, self.security.networkKey, mask), True

    def do_getNetworkParameters(self):
        return [OK, t.EmberNodeType.COORDINATOR, self.joined[0]]

    def do_get_network_key(self):
        return zigpy.state.Key(key=self.joined[1], seq=0)

    def do_getCurrentSecurityState(self):
        state = t.EmberCurrentSecurityState(
            bitmask=self.joined[2], trustCenterLongAddress=t.EUI64.deserialize(OWN)[0]
        )
        return [OK, state]

    def do_add_transient_link_key(self, ieee, key):
        return t.sl_Status.OK

    def do_findKeyTableEntry(self, address, linkKey):  # noqa: N803 - EZSP's own name
        if not any(address.serialize()):
            return [len(self.key_table)]
        return [self.key_table.get(address.serialize(), (0xFF,))[0]]

    def do_importLinkKey(self, index, address, key):
        self.key_table[address.serialize()] = (index, key.serialize())
        return [t.sl_Status.OK]

    def do_eraseKeyTableEntry(self, index):
        self.key_table = {key: value for key, value in self.key_table.items() if value[0] != index}
        return [OK]

    def do_send_unicast(self, nwk, aps_frame, message_tag, data):
        if self.hand_over_status:
            status = self.hand_over_status.pop(0)
            if status != t.sl_Status.OK:
                return status, 0
        if not aps_frame.options & t.EmberApsOption.APS_OPTION_FRAGMENT or not aps_frame.groupId & 0xFF:
            self.sequence += 1
        result = self.sent_status.pop(0) if self.sent_status else OK
        if result is not None:
            for _ in range(2 if self.reports_twice else 1):
                self.callback("messageSentHandler", 0, nwk, aps_frame, message_tag, result, b"")
        return t.sl_Status.OK, self.sequence

    def named(self, *names):
        return [call for call in self.calls if call[0] in names]

    def policies(self):
        return [int(args[1]) for _, args, _ in self.named("setPolicy") if int(args[0]) == 0]

    def permits(self):
        return [kwargs["duration"] for _, _, kwargs in self.named("permitJoining")]
