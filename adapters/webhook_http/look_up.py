"""
Asking for the addresses of a name.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host, best first; raises `OSError` when it has none."""


async def look_up(host: str, port: int) -> list[str]:
    """
    Ask the system's resolver, in a thread that nobody waits for once the caller has left.

    The loop's own threads are few and shared: some slow name servers could hold all of them.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(addresses: list[str] | None) -> None:
        if found.done():  # nobody waits any more
            return
        if addresses is None:
            found.set_exception(OSError(f"{host} has no address."))
        else:
            found.set_result(addresses)

    def run() -> None:
        addresses = _addresses_of(host, port)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(tell, addresses)

    threading.Thread(target=run, name="outdial-webhook-name", daemon=True).start()
    return await found


def _addresses_of(host: str, port: int) -> list[str] | None:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))
