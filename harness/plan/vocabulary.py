"""Every word that a plan may use for a step: importing this registers them all."""

from __future__ import annotations

from harness.plan.steps import (
    answers,
    ask,
    bench,
    clear_key,
    dcc_alerts,
    dsp,
    estate,
    exchange,
    gas_proxy,
    gbcs,
    han,
    later,
    meters,
    prepayment,
    request,
    stays_out,
    trust,
    unsecured,
)
from harness.plan.steps.step import STEPS, Step, bind_step

FAMILIES = (
    *(estate, dsp, dcc_alerts, exchange, han, later, stays_out, clear_key, unsecured, trust),
    *(request, ask, answers, gas_proxy, gbcs, meters, prepayment, bench),
)

__all__ = ["FAMILIES", "STEPS", "Step", "bind_step"]
