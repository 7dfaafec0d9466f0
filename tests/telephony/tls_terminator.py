"""
TLS in front of a program that has none, such as Debian's SIPp.
"""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs


@attrs.frozen
class Certificate:
    """
    Files of a self-signed certificate.
    """

    certificate: Path
    key: Path


def make_certificate(folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Certificate:
    """
    Write a new certificate.
    """
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    arguments = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        [
            "openssl",
            "req",
            *arguments,
            "-subj",
            "/CN=trunk",
            "-addext",
            f"subjectAltName={names}",
            "-keyout",
            made.key,
            "-out",
            made.certificate,
        ],
        check=True,
        capture_output=True,
    )
    return made


@asynccontextmanager
async def tls_terminator(target_port: int, certificate: Certificate) -> AsyncIterator[int]:
    """
    Listen with TLS on the yielded port, and pass all on to a TCP port.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target_port)
        for one, other in ((reader, inner_writer), (inner_reader, writer)):
            tasks.add(asyncio.create_task(_pump(one, other)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
