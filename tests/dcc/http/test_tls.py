"""The web services over TLS: a client that trusts the certificate gets through, another does not."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.dcc.http.link import http_link
from harness.dcc.http.serve import Address, client_tls, server_tls, serving
from harness.dcc.web_services import WebService
from harness.errors import ConfigError, RigFault


@pytest.fixture
def certificate(tmp_path):
    """A certificate for loopback, with its key in a file of its own."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, private


async def asked(certificate, trust):
    chain, private = certificate
    application = web.Application()
    application.router.add_post(WebService.SEND.path, _answer)
    async with (
        serving(application, Address(tls=server_tls(chain, private))) as url,
        http_link(url, trust=trust) as link,
    ):
        assert url.startswith("https://")
        return await link.post(WebService.SEND, b"<a/>")


async def _answer(request):
    return web.Response(body=await request.read())


def test_a_client_that_trusts_it_gets_through(certificate):
    reply = asyncio.run(asked(certificate, client_tls(certificate[0])))
    assert (reply.status, reply.content) == (200, b"<a/>")


def test_a_client_that_does_not_trust_it_does_not(certificate):
    with pytest.raises(RigFault, match="certificate"):
        asyncio.run(asked(certificate, None))


def test_files_that_are_no_certificates_are_told(certificate, tmp_path):
    with pytest.raises(ConfigError, match="no certificate and key for TLS"):
        server_tls(certificate[0], None)
    with pytest.raises(ConfigError, match="no certificates to trust"):
        client_tls(tmp_path / "none")
