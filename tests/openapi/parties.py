"""
Two accounts that have one of everything, and the ids by which it is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import hash_secret
from outdial.domain.model.principal import PresentedKey
from outdial.ports.storage import Transaction
from tests import builders
from tests.entrypoints.clinic import AGENT, ASSISTANT, CALLEE, CLINIC, CONTACT, OTHER, OTHERS_AGENT, OTHERS_CONTACT
from tests.http.api import Api

CANARY: Final = "canary5f3a"
"""Stands in whatever the other account has and nobody else may see."""


@attrs.frozen(kw_only=True)
class Party:
    """
    An account, with a key that may do everything, and its agent and contact.
    """

    account_id: int
    key_id: int
    agent: int
    assistant: str
    contact: int
    secret: str = ""

    @property
    def key(self) -> str:
        """
        What is sent to show who asks.
        """
        return builders.key_text(self.key_id, builders.secret(self.key_id))


ASKING: Final = Party(account_id=CLINIC, key_id=51, agent=AGENT, assistant=ASSISTANT, contact=CONTACT)
ASKED_ABOUT: Final = Party(
    account_id=OTHER, key_id=52, agent=OTHERS_AGENT, assistant="assistant_other", contact=OTHERS_CONTACT, secret=CANARY
)


def furnish_parties(transaction: Transaction) -> None:
    """
    Store both accounts' keys, and the canary in what the other one has.
    """
    for party in (ASKING, ASKED_ABOUT):
        transaction.directory.add(
            builders.api_key(
                id=party.key_id,
                account_id=party.account_id,
                secret_hash=hash_secret(builders.secret(party.key_id)),
                requests_per_minute=60_000,
            )
        )


def call_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Ask for a call.
    """
    body = {"phone_number": CALLEE, "agent_id": party.agent, "variables": {"said": party.secret}}
    answer = api.post(body, key=party.key).json()
    return str(answer["id"]), answer["call_id"]


def named_call_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Ask for a call by an idempotency key.
    """
    name = f"{party.account_id}-{party.secret}"
    body = {"phone_number": CALLEE, "agent_id": party.agent}
    assert 201 == api.post(body, key=party.key, headers={"Idempotency-Key": name}).status_code
    return (name,)


def event_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Ask for a call, and hear of it.
    """

    async def listen() -> tuple[str, ...]:
        stream = await api.dialer.acting(PresentedKey(text=party.key)).calls.events(call_id)
        assert not isinstance(stream, Refused)
        with stream:
            async for change in stream:
                return (str(change.id),)
        return ()

    call_id = call_of(api, party)[1]
    return api.run(listen())


def refusal_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Be refused.
    """
    api.post({"phone_number": CALLEE, "agent_id": "assistant_nobody"}, key=party.key)
    return (str(api.get("/api/v1/refusals", key=party.key).json()["refusals"][0]["id"]),)


def webhook_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Make a webhook.
    """
    body = {"url": "https://hooks.example.com/", "description": party.secret}
    return (str(api.post(body, key=party.key, path="/api/v1/webhooks").json()["id"]),)


def message_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Have a message on its way to a webhook.
    """
    webhook_id, name = int(webhook_of(api, party)[0]), f"msg_{party.account_id}"
    webhook = builders.webhook(id=webhook_id, account_id=party.account_id)
    message = builders.message(number=0, id=name, account_id=party.account_id)
    api.run(api.storage.transact(lambda transaction: transaction.webhooks.outbox.add(message, [webhook])))
    return (name,)


def list_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    Make a Do-Not-Call list.
    """
    made = api.post({"name": f"own {party.secret}"}, key=party.key, path="/api/v1/dnc/lists").json()
    return (str(made["id"]),)


def listed_number_of(api: Api, party: Party) -> tuple[str, ...]:
    """
    List a number.
    """
    body = {"phone_number": f"+15557{party.account_id:06}", "reason": party.secret}
    assert 201 == api.post(body, key=party.key, path="/api/v1/dnc/numbers").status_code
    return (body["phone_number"],)


OWNED: Final[Mapping[str, Callable[[Api, Party], tuple[str, ...]]]] = {
    "agent_id": lambda _api, party: (str(party.agent), party.assistant),
    "call_id": call_of,
    "contact_id": lambda _api, party: (str(party.contact),),
    "idempotency_key": named_call_of,
    "last_event_id": event_of,
    "message_id": message_of,
    "list_id": list_of,
    "number": listed_number_of,
    "refusal_id": refusal_of,
    "webhook_id": webhook_of,
}
"""How something of an account is made; returns every id by which it can be asked for."""


def unknown(identifier: str) -> str:
    """
    Return an id of the same form that nothing has.
    """
    if identifier.isdecimal():
        return "987654321"
    return identifier[:-1] + ("0" if identifier[-1] != "0" else "1")
