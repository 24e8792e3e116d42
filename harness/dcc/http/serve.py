"""Runs a web application on one address until it is told to stop, and closes it in order."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from harness.errors import ConfigError, RigFault

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 is any that is free. With `tls` over TLS."""

    host: str = LOOPBACK
    port: int = 0
    tls: ssl.SSLContext | None = None


@asynccontextmanager
async def serving(application: web.Application, address: Address) -> AsyncIterator[str]:
    """Serve, and give the URL. Raises RigFault when the address cannot be had."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host, address.port, ssl_context=address.tls)
        try:
            await site.start()
        except OSError as error:
            raise RigFault(
                f"cannot listen on {address.host} port {address.port}: {error.strerror or error}",
                remedy="is something else listening there? choose another port",
            ) from error
        host, port = runner.addresses[0][:2]
        scheme = "https" if address.tls else "http"
        yield f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    finally:
        await runner.cleanup()


def server_tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return a server's TLS settings. Raises ConfigError for files that are no certificate and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificate and key for TLS: {error}", file=certificate) from error
    return context


def client_tls(authority: Path) -> ssl.SSLContext:
    """Return a client's TLS settings that trust this authority. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=str(authority))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificates to trust: {error}", file=authority) from error
