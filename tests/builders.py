"""
Valid values with defaults that fit together: name only what a test is about.

The defaults describe one account with one key, one agent and one contact; `decide(request(), facts())` accepts.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call, Script
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.contact import Contact, ContactNumber, Person, PhoneType
from outdial.domain.model.delivery import Delivery
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.facts import Facts
from outdial.domain.model.grounds import Grounds, digest_of_facts
from outdial.domain.model.identifiers import CALL_TOKEN_LENGTH, KEY_SECRET_LENGTH, hash_secret, write_key
from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.domain.model.patience import Patience
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, ApiKey, Permission, PresentedKey
from outdial.domain.model.rate import Rate
from outdial.domain.model.rate_limit import REQUESTS_PER_MINUTE_MAX, Limit, Window
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.model.webhook import EventType, Message, Webhook
from outdial.domain.model.webhook_signature import Secret

NOW: Final = datetime(2025, 4, 24, 10, 15, 30, tzinfo=UTC)
CREATED_AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
ACCOUNT_ID: Final = 1
KEY_ID: Final = 11
AGENT_ID: Final = 123
CONTACT_ID: Final = 456
CALLS_PER_DAY: Final = 1_000_000
REQUESTS_PER_MINUTE: Final = REQUESTS_PER_MINUTE_MAX
CALL_NUMBER: Final = 789
WEBHOOK_ID: Final = 31
SECRET: Final = "0123456789abcdefGHIJ"
TOKEN: Final = "aB3dE6gH9jK2"
PATIENCE: Final = Patience(ring_timeout_s=40, evidence_lag_s=60, attempts_max=3)
CALLEE: Final = PhoneNumber("+15551234567")
CALLER_ID: Final = PhoneNumber("+15555550100")

_ACCOUNT: Final = Account(id=ACCOUNT_ID, name="Clinic", currency="USD", created_at=CREATED_AT)
_API_KEY: Final = ApiKey(
    id=KEY_ID,
    account_id=ACCOUNT_ID,
    permissions=frozenset(Permission),
    secret_hash=hash_secret(SECRET),
    created_at=CREATED_AT,
    calls_per_day=CALLS_PER_DAY,
    requests_per_minute=REQUESTS_PER_MINUTE,
)
_AGENT: Final = Agent(
    id=AGENT_ID,
    account_id=ACCOUNT_ID,
    assistant_id="assistant_abc123",
    name="Appointment Scheduler",
    phone_number=CALLER_ID,
    greeting="Hello {{customer_name|there}}, this is {{agent_name}}.",
)
_PERSON: Final = Person(
    id=CONTACT_ID,
    account_id=ACCOUNT_ID,
    first_name="John",
    last_name="Doe",
    email="john@example.com",
    company="Example",
)
_DNC_ENTRY: Final = DncEntry(list_id=1, phone_number=CALLEE, reason="asked not to be called", listed_at=NOW)
_RATE: Final = Rate(currency="USD", prefix="1", per_minute_micros=50_000)
_WALLET: Final = Wallet(account_id=ACCOUNT_ID, currency="USD", balance_micros=25_000_000, held_micros=0)
_FIELDS: Final = CallFields(phone_number=CALLEE.e164, agent_id=AGENT_ID, contact_id=None, variables={})
_REQUEST: Final = CallRequest(
    credential=PresentedKey(text=write_key(KEY_ID, SECRET)), content=_FIELDS, token=TOKEN, received_at=NOW
)
_FACTS: Final = Facts(
    now=NOW,
    policy=Policy(),
    call_number=CALL_NUMBER,
    key=_API_KEY,
    account=_ACCOUNT,
    wallet=_WALLET,
    callee=CALLEE,
    agent=_AGENT,
)
_WINDOW: Final = Window(limit=Limit.REQUESTS_PER_MINUTE, quota=60, remaining=0, reset_s=7, is_exceeded=True)
_ENTRY: Final = LedgerEntry(account_id=ACCOUNT_ID, kind=EntryKind.HOLD, micros=1_500_000, call_id=CALL_NUMBER, at=NOW)
_CALL: Final = Call(
    id=CALL_NUMBER,
    token=TOKEN,
    account_id=ACCOUNT_ID,
    key_id=KEY_ID,
    agent_id=AGENT_ID,
    assistant_id=_AGENT.assistant_id,
    agent_name=_AGENT.name,
    contact_id=None,
    phone_number=CALLEE,
    caller_id=CALLER_ID,
    runtime=_AGENT.runtime,
    sip_uri=None,
    script=Script(greeting="Hello there.", instructions="", variables={}),
    rate=_RATE,
    hold_micros=1_500_000,
    max_duration_s=1800,
    created_at=NOW,
    expires_at=NOW + timedelta(days=1),
)
_WEBHOOK: Final = Webhook(
    id=WEBHOOK_ID,
    account_id=ACCOUNT_ID,
    url="https://hooks.example.com/calls",
    events=frozenset(EventType),
    secret=Secret.of("s" * 48),
    created_at=CREATED_AT,
)
_MESSAGE: Final = Message(
    number=1, id="msg_1", account_id=ACCOUNT_ID, call_id=CALL_NUMBER, event_type=EventType.CALL_STARTED, at=NOW
)

_GROUNDS: Final = Grounds(policy_version="0123456789ab", facts="{}", facts_digest=digest_of_facts("{}"))
_REFUSAL: Final = Refusal(
    account_id=ACCOUNT_ID,
    key_id=KEY_ID,
    at=NOW,
    reason=Reason.DO_NOT_CALL,
    phone_number=CALLEE,
    agent_id=AGENT_ID,
    grounds=_GROUNDS,
)
_INCIDENT: Final = Incident(
    account_id=ACCOUNT_ID,
    call_id=1,
    attempt=1,
    kind=IncidentKind.ANSWER_STOPPED,
    objection=Objection.OVER,
    at=NOW,
)


def account(**changes: Any) -> Account:
    """
    Return an account in US dollars that may call every region.
    """
    return attrs.evolve(_ACCOUNT, **changes)


def api_key(**changes: Any) -> ApiKey:
    """
    Return a stored key with every permission; `SECRET` proves it.
    """
    return attrs.evolve(_API_KEY, **changes)


def key_text(key_id: int = KEY_ID, secret: str = SECRET) -> str:
    """
    Return what a client sends to show that it has a key.
    """
    return write_key(key_id, secret)


def secret(number: int) -> str:
    """
    Return a secret of the right length, another one for each number.
    """
    return str(number).rjust(KEY_SECRET_LENGTH, "s")


def token(number: int) -> str:
    """
    Return a call's token of the right length, another one for each number.
    """
    return str(number).rjust(CALL_TOKEN_LENGTH, "t")


def agent(**changes: Any) -> Agent:
    """
    Return an agent that announces a greeting and has a number.
    """
    return attrs.evolve(_AGENT, **changes)


def person(**changes: Any) -> Person:
    """
    Return a contact without its numbers.
    """
    return attrs.evolve(_PERSON, **changes)


def contact(**changes: Any) -> Contact:
    """
    Return a contact whose one number is the callee, and has the contact's row; changes are the person's.
    """
    changed = person(**changes)
    number = ContactNumber(id=changed.id, phone_number=CALLEE, phone_type=PhoneType.MOBILE, is_primary=True)
    return Contact(person=changed, phone_numbers=(number,))


def dnc_entry(**changes: Any) -> DncEntry:
    """
    Return the callee's entry on the list that was made first.
    """
    return attrs.evolve(_DNC_ENTRY, **changes)


def rate(**changes: Any) -> Rate:
    """
    Return the rate of North America: 0.05 a minute, billed by the minute.
    """
    return attrs.evolve(_RATE, **changes)


def wallet(**changes: Any) -> Wallet:
    """
    Return a wallet of 25.00 without holds.
    """
    return attrs.evolve(_WALLET, **changes)


def entry(kind: EntryKind, micros: int, **changes: Any) -> LedgerEntry:
    """
    Return a ledger row; it belongs to the default call unless it is a deposit.
    """
    call_id = None if kind is EntryKind.DEPOSIT else CALL_NUMBER
    return attrs.evolve(_ENTRY, **{"kind": kind, "micros": micros, "call_id": call_id, **changes})


def policy(**changes: Any) -> Policy:
    """
    Return the operator's default settings.
    """
    return attrs.evolve(_FACTS.policy, **changes)


def fields(**changes: Any) -> CallFields:
    """
    Return the fields of a call to the callee by the agent's row number.
    """
    return attrs.evolve(_FIELDS, **changes)


def request(**changes: Any) -> CallRequest:
    """
    Return a request with the key; for other fields, give `content=fields(...)`.
    """
    return attrs.evolve(_REQUEST, **changes)


def facts(**changes: Any) -> Facts:
    """
    Return facts under which the default request is accepted.
    """
    return attrs.evolve(_FACTS, **changes)


def grounds(**changes: Any) -> Grounds:
    """
    Return what a decision rested on: next to nothing.
    """
    return attrs.evolve(_GROUNDS, **changes)


def refusal(**changes: Any) -> Refusal:
    """
    Return what is kept of a call to a listed number.
    """
    return attrs.evolve(_REFUSAL, **changes)


def incident(**changes: Any) -> Incident:
    """
    Return an answer to the first attempt of the account's first call, which was over.
    """
    return attrs.evolve(_INCIDENT, **changes)


def window(**changes: Any) -> Window:
    """
    Return what the minute's limit says of one request too many.
    """
    return attrs.evolve(_WINDOW, **changes)


def call(**changes: Any) -> Call:
    """
    Return a call that was just accepted, its hold covering half an hour.
    """
    return attrs.evolve(_CALL, **changes)


def webhook(**changes: Any) -> Webhook:
    """
    Return an enabled webhook that wants every event.
    """
    return attrs.evolve(_WEBHOOK, **changes)


def message(**changes: Any) -> Message:
    """
    Return the message that the default call was answered.
    """
    return attrs.evolve(_MESSAGE, **changes)


def delivery(**changes: Any) -> Delivery:
    """
    Return the default message on its way to the default webhook, not yet tried.
    """
    return attrs.evolve(Delivery(webhook_id=WEBHOOK_ID, message=_MESSAGE), **changes)
