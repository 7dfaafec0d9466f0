"""
Everything that can be done with one credential: the same over HTTP, in a process and at the command line.
"""

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.principal import Credential, Permission
from outdial.domain.model.rate_limit import Window
from outdial.entrypoints.client.agents import AgentsClient
from outdial.entrypoints.client.calls import CallsClient
from outdial.entrypoints.client.contacts import ContactsClient
from outdial.entrypoints.client.do_not_call import DncClient
from outdial.entrypoints.client.front import Front, Ports
from outdial.entrypoints.client.webhooks import WebhooksClient


@attrs.frozen
class Client:
    """
    Acts for one account, as far as its credential allows.
    """

    _front: Front

    @classmethod
    def of(cls, ports: Ports, credential: Credential) -> "Client":
        """
        Return the client of a credential.
        """
        return cls(Front(ports, credential))

    @property
    def window(self) -> Window | None:
        """
        What the key's requests per minute said about the latest request; `None` where nobody counts.
        """
        return self._front.window

    @property
    def calls(self) -> CallsClient:
        """
        Calls.
        """
        return CallsClient(self._front)

    @property
    def agents(self) -> AgentsClient:
        """
        Agents.
        """
        return AgentsClient(self._front)

    @property
    def contacts(self) -> ContactsClient:
        """
        The address book.
        """
        return ContactsClient(self._front)

    @property
    def webhooks(self) -> WebhooksClient:
        """
        Webhooks.
        """
        return WebhooksClient(self._front)

    @property
    def dnc(self) -> DncClient:
        """
        Do-Not-Call lists.
        """
        return DncClient(self._front)

    async def identify(self) -> Refused | None:
        """
        Tell why nobody is behind the credential, `None` when somebody is; this is not counted as a request.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.identify()

    async def refuse(self, permission: Permission, refused: Refused) -> Refused:
        """
        Refuse a request that can't be understood; a stranger learns only that it is one.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.refuse(permission, refused)
