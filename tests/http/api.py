"""
The HTTP interface of an opened dialer, asked in this process, without a network.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

import httpx2
import pytest
from starlette.types import ASGIApp, Message, Scope

from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.principal import Permission
from outdial.entrypoints import composition
from outdial.entrypoints.http.app import create_app
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.settings import Settings
from outdial.ports.storage import Reader, Storage
from tests import builders
from tests.entrypoints.clinic import AGENT, CALLEE, KEY, everything, furnish

T = TypeVar("T")

CALLS: Final = "/api/v1/calls"
BODY: Final = {"phone_number": CALLEE, "agent_id": AGENT}
"""The least that is accepted."""

MEMORY: Final = Settings(database="memory:", simulator_time_scale=0.0)
NO_HEADERS: Final[Mapping[str, str]] = {}
REQUEST_ID: Final = re.compile(r"[0-9A-Za-z]{16}")


class Api:
    """
    A dialer with the clinic's accounts and the application that serves it, on an event loop of its own.

    The loop runs while something is asked; time stands still at `builders.NOW` unless moved.
    """

    def __init__(self, settings: Settings = MEMORY, *, storage: Storage | None = None, dials: bool = False) -> None:
        self.clock = ManualClock(builders.NOW)
        self.storage = storage if storage is not None else MemoryStorage()
        self._runner = asyncio.Runner()
        self.dialer = self.run(open_dialer(settings, self.storage, self.clock, dials=dials))
        self.app = create_app(self.dialer)
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, raise_app_exceptions=False), base_url="http://outdial.test"
        )
        self.run(self.storage.transact(furnish))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Wait for something on the interface's event loop.
        """
        return self._runner.run(coroutine)

    def close(self) -> None:
        """
        Stop everything.
        """
        self.run(self._client.aclose())
        self.run(self.dialer.stop())
        self._runner.close()

    def post(
        self,
        body: object = BODY,
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] = NO_HEADERS,
        path: str = CALLS,
    ) -> httpx2.Response:
        """
        Ask for a call; a body of bytes is sent as it is, anything else as JSON.
        """
        return self.run(self.send(body, key=key, headers=headers, path=path))

    async def send(
        self,
        body: object = BODY,
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] = NO_HEADERS,
        path: str = CALLS,
    ) -> httpx2.Response:
        """
        Ask for a call from within the event loop, beside others.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **_bearer(key), **headers}
        return await self._client.post(path, headers=sent, content=content)

    def get(self, path: str, *, key: str | None = KEY) -> httpx2.Response:
        """
        Ask for what stands at a path.
        """
        return self.ask("GET", path, headers=_bearer(key))

    def until(self, path: str, status: str) -> dict[str, Any]:
        """
        Ask for a call again and again until it has a status, for 10 s at most.
        """

        async def poll() -> dict[str, Any]:
            async with asyncio.timeout(10):
                while True:
                    body: dict[str, Any] = (await self._client.get(path, headers=_bearer(KEY))).json()
                    if body["status"] == status:
                        return body
                    await asyncio.sleep(0.005)

        return self.run(poll())

    def ask(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """
        Send any request.
        """
        return self.run(self._client.request(method, path, **arguments))

    def read(self, work: Callable[[Reader], T]) -> T:
        """
        Look into the database.
        """
        return self.run(self.storage.read(work))

    def everything(self) -> tuple[object, ...]:
        """
        Return what a refused request must leave as it was.
        """
        return self.read(everything)

    def stream(self, chunks: Iterable[bytes], headers: Mapping[str, str] = NO_HEADERS) -> "Streamed":
        """
        Ask for a call with a body that comes in chunks; whoever reads beyond the last one finds the client gone.
        """
        streamed = Streamed(chunks)
        sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **headers}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": CALLS,
            "raw_path": CALLS.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }
        self.run(streamed.exchange(self.app, scope))
        return streamed


class Streamed:
    """
    One request whose body is counted as it is read, and its answer.

    Attributes:
        chunks_read: How many chunks the application asked for.

        messages: What it sent.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.chunks_read = 0
        self.messages: list[Message] = []

    @property
    def status(self) -> int:
        """
        The answer's status.
        """
        status: int = self.messages[0]["status"]
        return status

    @property
    def error(self) -> str:
        """
        The answer's error code.
        """
        code: str = json.loads(self.messages[1]["body"])["error"]
        return code

    async def exchange(self, app: ASGIApp, scope: Scope) -> None:
        """
        Run the application once.
        """

        async def send(message: Message) -> None:
            self.messages.append(message)

        await app(scope, self._receive, send)

    async def _receive(self) -> Message:
        chunk = next(self._chunks, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        self.chunks_read += 1
        return {"type": "http.request", "body": chunk, "more_body": True}


async def open_dialer(settings: Settings, storage: Storage, clock: ManualClock, *, dials: bool) -> Dialer:
    """
    Start a dialer over a storage and a clock of the test's own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "storage", lambda _settings: storage)
        patch.setattr(composition, "clock", lambda: clock)
        dialer = Dialer(settings)
        await dialer.start(dials=dials)
    return dialer


def permit(api: Api, *permissions: Permission) -> None:
    """
    Let the clinic's key do nothing else any more.
    """
    key = builders.api_key(permissions=frozenset(permissions))
    api.run(api.storage.transact(lambda transaction: transaction.directory.update_key(key)))


def problem_of(answer: httpx2.Response) -> tuple[int, str]:
    """
    Return the status and code of a refusal, once it is sure that it has the one shape.
    """
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert REQUEST_ID.fullmatch(answer.headers["X-Request-Id"])
    assert list(body)[:2] == ["error", "message"]
    assert body["message"].endswith(".")
    return answer.status_code, body["error"]


def _bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key is not None else {}
