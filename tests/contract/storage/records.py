"""
Strategies for what storage must give back exactly: the extremes of integers, times and texts.
"""

from datetime import UTC, datetime
from typing import Final

import attrs
from hypothesis import strategies as st

from outdial.domain.model.agent import NAME_LENGTH_MAX, Agent, RuntimeKind
from outdial.domain.model.call import Call, Script
from outdial.domain.model.contact import FIELD_LENGTH_MAX, Contact, ContactNumber, Person, PhoneType
from outdial.domain.model.decision import FieldProblem
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.domain.model.lifecycle import State
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate import Rate
from outdial.domain.model.rate_limit import REQUESTS_PER_MINUTE_MAX
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from tests import builders, strategies

TEXTS: Final = (
    "",
    " ",
    "x" * 16_384,
    "🎉👩‍👩‍👧",
    "e\u0301 \u0041\u030a",
    "\u202eשלם مرحبا\u202c",
    'it\'s "quoted" `so` \\ %s ? :name',
    "'); drop table calls; --",
    "a\r\n\tb\u2028c",
    "\ufeff\uffff\U0010ffff",
    "NULL",
    "1e3",
)

texts = st.one_of(st.sampled_from(TEXTS), strategies.clean_texts)
some_text = texts.filter(bool)
numbers = st.one_of(st.sampled_from((1, 2**31, 2**53 + 1, ID_MAX)), strategies.row_numbers)
counts = st.one_of(st.sampled_from((0, 2**53 + 1, ID_MAX)), st.integers(0, ID_MAX))
micros = st.one_of(st.sampled_from((0, MICROS_MAX)), strategies.amounts)
times = st.one_of(
    st.sampled_from(
        (
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        )
    ),
    st.datetimes(timezones=st.just(UTC)),
)
phone_numbers = st.integers(1_000_000, 999_999_999_999_999).map("+{}".format).map(PhoneNumber)
regions = st.sampled_from(("US", "DE", "ZA"))

accounts = st.builds(
    Account,
    id=numbers,
    name=some_text,
    currency=st.sampled_from(("USD", "ZZZ")),
    created_at=times,
    default_region=st.none() | regions,
    allowed_regions=st.frozensets(regions),
    price_caps_micros=st.dictionaries(st.sampled_from(NumberKind), micros),
)
api_keys = st.builds(
    ApiKey,
    id=numbers,
    account_id=st.just(builders.ACCOUNT_ID),
    permissions=st.frozensets(st.sampled_from(Permission)),
    secret_hash=st.binary(max_size=40),
    created_at=times,
    expires_at=st.none() | times,
    revoked_at=st.none() | times,
    calls_per_day=micros,
    requests_per_minute=st.integers(1, REQUESTS_PER_MINUTE_MAX),
)
_names = some_text.filter(lambda text: len(text) <= NAME_LENGTH_MAX)
_announcing = st.builds(
    Agent,
    id=numbers,
    account_id=st.just(builders.ACCOUNT_ID),
    assistant_id=texts,
    name=_names,
    phone_number=st.none() | phone_numbers,
    greeting=texts.filter(lambda text: bool(text.strip()) and "{{" not in text and "}}" not in text),
    instructions=texts.filter(lambda text: "{{" not in text and "}}" not in text),
    model=st.none() | _names,
    voice_id=st.none() | _names,
    team_id=st.none() | numbers,
)
agents = st.one_of(
    _announcing,
    _announcing.map(lambda agent: attrs.evolve(agent, runtime=RuntimeKind.SIP_URI, sip_uri="sips:x@example.com")),
)
_short = texts.filter(lambda text: len(text) <= FIELD_LENGTH_MAX)
people = st.builds(
    Person,
    id=numbers,
    account_id=st.just(builders.ACCOUNT_ID),
    first_name=_short.filter(bool),
    last_name=st.none() | _short,
    email=st.none() | _short,
    company=st.none() | _short,
    timezone=st.sampled_from((None, "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+12")),
    custom_context=strategies.variables,
)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    """
    Draw a contact with any numbers, one of them the primary one.
    """
    drawn = draw(st.dictionaries(numbers, phone_numbers, max_size=4).filter(_has_each_once))
    primary = draw(st.sampled_from(sorted(drawn))) if drawn else None
    return Contact(
        person=draw(people),
        phone_numbers=tuple(
            ContactNumber(
                id=number,
                phone_number=drawn[number],
                phone_type=draw(st.sampled_from(PhoneType)),
                is_primary=number == primary,
            )
            for number in sorted(drawn)
        ),
    )


def _has_each_once(drawn: dict[int, PhoneNumber]) -> bool:
    return len(set(drawn.values())) == len(drawn)


dnc_entries = st.builds(
    DncEntry,
    list_id=st.just(1),
    phone_number=phone_numbers,
    reason=texts,
    listed_at=times,
    expires_at=st.none() | times,
)
rates = st.builds(
    Rate,
    currency=st.sampled_from(("USD", "ZZZ")),
    prefix=phone_numbers.map(lambda number: number.digits) | st.just(""),
    per_minute_micros=micros,
    increment_s=st.integers(1, 3600),
    minimum_s=st.integers(0, 3600),
)
causes = st.builds(
    HangUpCause,
    code=st.integers(0, 699) | counts,
    words=texts,
    provisional=st.lists(st.integers(100, 199), max_size=5).map(tuple),
)
refusals = st.builds(
    Refusal,
    number=st.just(0),
    account_id=st.just(builders.ACCOUNT_ID),
    key_id=st.none() | numbers,
    at=times,
    reason=st.sampled_from(Reason),
    problems=st.lists(st.builds(FieldProblem, field=st.text(max_size=9), problem=texts), max_size=3).map(tuple),
    phone_number=st.none() | phone_numbers,
    agent_id=st.none() | numbers,
    grounds=st.builds(Grounds, policy_version=texts, facts=texts, facts_digest=st.binary(max_size=40)),
)
calls = st.builds(
    Call,
    id=numbers,
    token=texts,
    account_id=st.just(builders.ACCOUNT_ID),
    key_id=st.none() | numbers,
    agent_id=numbers,
    assistant_id=texts,
    agent_name=texts,
    contact_id=st.none() | numbers,
    phone_number=phone_numbers,
    caller_id=phone_numbers,
    runtime=st.sampled_from(RuntimeKind),
    sip_uri=st.none() | texts,
    script=st.builds(Script, greeting=texts, instructions=texts, variables=strategies.variables),
    rate=rates,
    hold_micros=micros,
    max_duration_s=counts,
    created_at=times,
    expires_at=times,
    state=st.sampled_from(State),
    fence=counts,
    attempt=counts,
    dialed_at=st.none() | times,
    answered_at=st.none() | times,
    ended_at=st.none() | times,
    disposition=st.none() | st.sampled_from(Disposition),
    cause=st.none() | causes,
    talk_s=counts,
    charge_micros=micros,
    not_before=st.none() | times,
    deadline_at=st.none() | times,
    version=st.integers(0, ID_MAX - 1),
)
incidents = st.builds(
    Incident,
    account_id=st.just(builders.ACCOUNT_ID),
    call_id=st.just(1),
    attempt=numbers,
    kind=st.sampled_from(IncidentKind),
    objection=st.sampled_from(Objection),
    at=times,
)
