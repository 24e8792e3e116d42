"""Property tests are judged by what they find, not by how busy the machine is; runs that many look at."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

from tests.system.one_run import (  # noqa: F401 - fixtures of every room
    certified,
    firmware_certified,
    gbcs_certified,
    premises_certified,
)

settings.register_profile("bench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bench")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in a script's background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a test starts is to hear Ctrl-C
