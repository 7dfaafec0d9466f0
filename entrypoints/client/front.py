"""
Where every request comes in, whoever brings it: admitted by its credential, then served in the same transaction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Decision, Refused
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, Credential, Permission
from outdial.domain.model.rate_limit import Window
from outdial.domain.service.reading import admit
from outdial.entrypoints.client.event_hub import EventHub
from outdial.entrypoints.client.request_counter import RequestCounter
from outdial.ports.clock import Clock
from outdial.ports.intake import Intake
from outdial.ports.randomness import Randomness
from outdial.ports.storage import Reader, Storage, Transaction
from outdial.ports.tracer import Tracer

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Ports:
    """
    What requests are served with.

    Attributes:
        allows_loopback_webhooks: Whether webhooks may be on this machine.

        on_decision: Told what was decided about each request for a call.

        on_moved: Told each call that a client brought into another state, and when.

        on_hang_up: Told the row of each call that a client hangs up, so that a process that dials does so at once.
    """

    storage: Storage
    intake: Intake
    requests: RequestCounter
    clock: Clock
    randomness: Randomness
    policy: Policy
    allows_loopback_webhooks: bool
    on_decision: Callable[[Decision], None]
    tracer: Tracer
    on_moved: Callable[[Call, datetime], None]
    on_hang_up: Callable[[int], None]
    events: EventHub


@attrs.define
class Front:
    """
    The way in for one credential.

    Attributes:
        window: What the key's requests per minute said about the latest request.
    """

    ports: Ports
    credential: Credential
    window: Window | None = None

    async def identify(self) -> Refused | None:
        """
        Tell why nobody is behind the credential, `None` when somebody is; this is not counted as a request.

        Raises:
            StorageError: The database can't be read now.
        """
        now = self.ports.clock.now()
        account = await self.ports.storage.read(lambda reader: admit(reader, self.credential, None, now))
        return account if isinstance(account, Refused) else None

    async def count(self, permission: Permission) -> Refused | None:
        """
        Count a request and refuse one too many, by a look at the key alone: it costs no transaction.

        Raises:
            StorageError: The database can't be read now.
        """
        self.window = window = await self.ports.requests.count(self.credential)
        if window is None or not window.is_exceeded:
            return None
        now = self.ports.clock.now()
        account = await self.ports.storage.read(
            lambda reader: admit(reader, self.credential, permission, now, window=window)
        )
        return account if isinstance(account, Refused) else None

    async def read(self, permission: Permission, work: Callable[[Reader, Account], T | Refused]) -> T | Refused:
        """
        Return what `work` finds for the credential's account, or why it may not look.

        Raises:
            StorageError: The database can't be read now.
        """
        if (refused := await self.count(permission)) is not None:
            return refused
        return await self.read_on(permission, work)

    async def read_on(self, permission: Permission, work: Callable[[Reader, Account], T | Refused]) -> T | Refused:
        """
        Read once more for a request that was counted when it came in.

        Raises:
            StorageError: The database can't be read now.
        """

        def admitted(reader: Reader) -> T | Refused:
            account = admit(reader, self.credential, permission, now)
            return account if isinstance(account, Refused) else work(reader, account)

        now = self.ports.clock.now()
        return await self.ports.storage.read(admitted)

    async def write(
        self, permission: Permission, work: Callable[[Transaction, Account, datetime], T | Refused]
    ) -> T | Refused:
        """
        Do `work` for the credential's account in one transaction, or return why it may not be done.

        Args:
            work: Gets the time of the request, too.

        Raises:
            StorageError: Nothing was written.
        """

        def admitted(transaction: Transaction) -> T | Refused:
            account = admit(transaction, self.credential, permission, now)
            return account if isinstance(account, Refused) else work(transaction, account, now)

        if (refused := await self.count(permission)) is not None:
            return refused
        now = self.ports.clock.now()
        return await self.ports.storage.transact(admitted)

    async def refuse(self, permission: Permission, refused: Refused) -> Refused:
        """
        Refuse a request that can't be understood; a stranger learns only that it is one.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self.read(permission, lambda _reader, _account: refused)
