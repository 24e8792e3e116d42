"""How a command ends: exceptions to exit codes, each with one sentence on standard error.

::

    0  done, or all passed            3  rig or harness at fault, or no case executed
    1  at least one case failed       4  no fail or error, but inconclusive
    2  bad command, plan, rig or data file
    130 interrupted (143: terminated)
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from harness.errors import BenchError, ConfigError

WRONG, RIG, INTERRUPTED, TERMINATED = 2, 3, 130, 143
T = TypeVar("T")


class Terminated(Exception):
    """The process was asked to end (SIGTERM)."""


def ended(command: Callable[[], object]) -> int:
    """Run a command and return its exit code."""
    try:
        code = command()
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return WRONG
    except (KeyboardInterrupt, click.Abort):
        return _said("interrupted", INTERRUPTED)
    except Terminated:
        return _said("terminated", TERMINATED)
    except ConfigError as error:
        return _said(str(error), WRONG)
    except BenchError as error:
        return _said(str(error), RIG)
    except (BrokenPipeError, SystemExit):
        # Nobody reads any more (click says so by SystemExit(1), which is our code for a failed case);
        # python would complain once more when it flushes on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RIG
    except OSError as error:
        return _said(f"{error.filename or 'the system'}: {error.strerror or error}", RIG)
    except Exception as error:  # noqa: BLE001 - python's own code for it is 1, which is ours for a failed case
        traceback.print_exc()
        return _said(f"this is a bug of the bench, please report it: {type(error).__name__}: {error}", RIG)
    return code if isinstance(code, int) else 0


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; Ctrl-C and SIGTERM cancel it, and it may clean up before they are raised here."""
    terminated = False

    async def watched() -> T:
        nonlocal terminated
        task = asyncio.current_task()
        assert task is not None

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        return await work

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if terminated:
            raise Terminated from None
        raise KeyboardInterrupt from None


def _said(sentence: str, code: int) -> int:
    click.echo(f"ppmid-bench: {sentence}", err=True)
    return code
