"""
A receiver of webhooks of its own: `python -m tests.crash.webhook_process LOG`, which prints its port.

It writes each message down durably before it answers, and answers every seventh with 500, as real ones do.
"""

import asyncio
import hashlib
import json
import os
import sys
from typing import Final

FAILS_EACH: Final = 7


async def _serve(log: str) -> None:
    count = 0

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in head[1:] if line}
            body = await reader.readexactly(int(headers["content-length"]))
            count += 1
            status = "500 Error" if count % FAILS_EACH == 0 else "200 OK"
            _write(log, headers["webhook-id"], body, status)
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
        except (OSError, EOFError):
            pass  # whoever sent is gone
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _write(log: str, message_id: str, body: bytes, status: str) -> None:
    line = {"id": message_id, "sha256": hashlib.sha256(body).hexdigest(), "status": status, "body": body.decode()}
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{json.dumps(line)}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
