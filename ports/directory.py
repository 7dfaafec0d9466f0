"""
Who may ask and who talks, in storage.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from outdial.domain.model.agent import Agent, AgentTotals
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Account, ApiKey

DirectoryRecord = Account | ApiKey | Agent
"""What is set up by the operator."""

Numbered = DirectoryRecord | Contact | ContactNumber
"""What has a row number of its own, never given twice."""


class DirectoryReader(Protocol):
    """
    Who may ask and who talks.
    """

    def account(self, account_id: int) -> Account | None:
        """
        Return an account.
        """

    def key(self, key_id: int) -> ApiKey | None:
        """
        Return a key, revoked ones included.
        """

    def agent(self, account_id: int, agent_id: AgentReference) -> Agent | None:
        """
        Return an account's agent by its row or its `assistant_...` id.
        """

    def agent_of_any_account(self, agent_id: AgentReference) -> Agent | None:
        """
        Return an agent, whoever owns it: for the operator alone.
        """

    def agents(self, account_id: int, *, after: int, limit: int) -> tuple[Agent, ...]:
        """
        Return at most `limit` of an account's agents whose row is above `after`, in the order of their rows.
        """

    def agent_totals(self, account_id: int, agent_ids: Collection[int]) -> Mapping[int, AgentTotals]:
        """
        Return what the calls of an account's agents came to, by the agents' rows; those without any call are left out.
        """


class Directory(DirectoryReader, Protocol):
    """
    The same, with writes.
    """

    def next_id(self, record_type: type[Numbered]) -> int:
        """
        Return the row number for a new record of a type, never given before.
        """

    def add(self, record: DirectoryRecord) -> None:
        """
        Store a new record; a new account gets an empty wallet.

        Raises:
            StorageConflictError: Its row, or an agent's `assistant_...` id, is taken, or its account is missing.
        """

    def update_key(self, key: ApiKey) -> None:
        """
        Store a key's changed permissions and times.

        Raises:
            StorageConflictError: There is no such key.
        """

    def add_talk(self, account_id: int, agent_id: int, talk_s: int) -> None:
        """
        Add the talk time of a call that is being settled to its agent's totals.

        Its account's wallet was written before, in this transaction.
        """
