"""TLS without a proxy: real certificates, real processes."""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import trustme
from emostream.exceptions import SettingsError
from emostream.settings import Settings, read_settings
from emostream.tls import given_tls

from tests.servers import QUICK_MODEL, ServerProcess, receive, session
from tests.support import PATIENCE_S, frame, jpeg

AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate = AUTHORITY.issue_cert("localhost", "127.0.0.1", "emo.example")
    (folder / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def context() -> ssl.SSLContext:
    """Of a client who trusts the authority and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, files: tuple[Path, Path]
) -> Iterator[ServerProcess]:
    """With room for three connections of one address, and a second for handshakes."""
    with ServerProcess(
        tmp_path_factory.mktemp("server"),
        cache_dir,
        model=QUICK_MODEL,
        ssl_certfile=files[0],
        ssl_keyfile=files[1],
        allowed_hosts="emo.example",
        max_connections_per_address=3,
        headers_timeout_s=1,
    ) as process:
        yield process
    assert "Traceback" not in process.log


async def test_page_and_stream_come_over_tls_and_nothing_without(
    server: ServerProcess, context: ssl.SSLContext
) -> None:
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE_S) as client:
        answer = await client.get(f"{server.http}/readyz")
    async with session(server, ssl=context, origin=server.http) as stream:
        await stream.send(frame(1, jpeg()))

        assert (await receive(stream))["type"] == "result"
    assert (server.http[:8], answer.json()) == ("https://", {"status": "ready"})
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as plain:
        plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.recv(1000)


def test_browsers_are_to_stay_with_tls_for_the_servers_name_and_not_for_localhost(
    server: ServerProcess, context: ssl.SSLContext
) -> None:
    """For which all servers of a developer's machine would be bound to it."""
    with httpx.Client(verify=context, trust_env=False, timeout=PATIENCE_S) as client:
        named = client.get(f"{server.http}/healthz", headers={"Host": "emo.example"})
        local = client.get(f"{server.http}/healthz", headers={"Host": "localhost"})

    assert named.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in local.headers


async def test_silent_handshakes_count_as_connections_and_have_a_deadline(
    server: ServerProcess, context: ssl.SSLContext
) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) for _ in range(3)]
    try:
        with (
            socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as one_too_many,
            pytest.raises((ConnectionError, ssl.SSLError)),
        ):
            await asyncio.to_thread(context.wrap_socket, one_too_many, server_hostname="localhost")
        for connection in silent:
            assert await asyncio.to_thread(connection.recv, 1) == b""  # closed by the server
    finally:
        for connection in silent:
            connection.close()

    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE_S) as client:
        metrics = (await client.get(f"{server.http}/metrics")).text
    refused = dict(re.findall(r'emostream_refusals_total\{reason="(\w+)"\} (\d+)', metrics))
    assert int(refused["too_many_connections"]) >= 1
    assert int(refused["tls_handshake"]) >= 3


def test_a_certificate_made_now_is_the_one_that_the_log_names(tmp_path: Path, cache_dir: Path) -> None:
    with ServerProcess(tmp_path, cache_dir, options=["--dev-tls"], model=QUICK_MODEL) as server:
        certificate = ssl.get_server_certificate(("127.0.0.1", server.port), timeout=PATIENCE_S)
        fingerprint = sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()

        assert fingerprint in server.log
        assert httpx.get(f"{server.http}/healthz", verify=False, trust_env=False).status_code == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["nothing there", "no certificate", "another one's key"])
def test_a_certificate_that_cannot_be_used_is_an_error_that_names_it(
    tmp_path: Path, files: tuple[Path, Path], wrong: str
) -> None:
    certificate, key = files
    if wrong == "another one's key":
        key = tmp_path / "key.pem"
        key.write_bytes(AUTHORITY.issue_cert("b.example").private_key_pem.bytes())
    else:
        certificate = tmp_path / "cert.pem"
        if wrong == "no certificate":
            certificate.write_text("hello")

    with pytest.raises(SettingsError, match=f"{re.escape(str(certificate))}.* cannot be used"):
        given_tls(Settings(_env_file=None, ssl_certfile=certificate, ssl_keyfile=key))  # type: ignore[call-arg]


def test_a_key_without_a_certificate_is_an_error() -> None:
    with pytest.raises(SettingsError, match="a key needs its certificate"):
        read_settings(ssl_keyfile="key.pem")
