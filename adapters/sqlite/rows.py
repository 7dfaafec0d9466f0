"""
Rows to values and back: who asks, who talks, who is called, what it costs.

Each row has the column order of the statements that read and write it.
"""

from outdial.adapters.sqlite.columns import (
    read_json,
    read_number,
    read_time,
    read_time_or_none,
    write_json,
    write_number,
    write_time,
    write_time_or_none,
)
from outdial.adapters.sqlite.statements import Row
from outdial.domain.model.agent import Agent, RuntimeKind
from outdial.domain.model.contact import Contact
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate import Rate


def account_row(account: Account) -> Row:
    """
    Write an account.
    """
    return (
        account.id,
        account.name,
        account.currency,
        write_time(account.created_at),
        account.default_region,
        write_json(account.allowed_regions),
        write_json(dict(account.price_caps_micros)),
    )


def read_account(row: Row) -> Account:
    """
    Read an account.
    """
    number, name, currency, created_at, default_region, allowed_regions, price_caps_micros = row
    return Account(
        id=number,
        name=name,
        currency=currency,
        created_at=read_time(created_at),
        default_region=default_region,
        allowed_regions=read_json(allowed_regions, frozenset[str]),
        price_caps_micros=read_json(price_caps_micros, dict[NumberKind, int]),
    )


def key_row(key: ApiKey) -> Row:
    """
    Write a key.
    """
    return (
        key.id,
        key.account_id,
        write_json(key.permissions),
        key.secret_hash,
        write_time(key.created_at),
        write_time_or_none(key.expires_at),
        write_time_or_none(key.revoked_at),
        key.calls_per_day,
    )


def read_key(row: Row) -> ApiKey:
    """
    Read a key.
    """
    number, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day = row
    return ApiKey(
        id=number,
        account_id=account_id,
        permissions=read_json(permissions, frozenset[Permission]),
        secret_hash=secret_hash,
        created_at=read_time(created_at),
        expires_at=read_time_or_none(expires_at),
        revoked_at=read_time_or_none(revoked_at),
        calls_per_day=calls_per_day,
    )


def agent_row(agent: Agent) -> Row:
    """
    Write an agent.
    """
    return (
        agent.id,
        agent.account_id,
        agent.assistant_id,
        agent.name,
        write_number(agent.phone_number),
        agent.greeting,
        agent.instructions,
        agent.runtime.value,
        agent.sip_uri,
    )


def read_agent(row: Row) -> Agent:
    """
    Read an agent.
    """
    number, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri = row
    return Agent(
        id=number,
        account_id=account_id,
        assistant_id=assistant_id,
        name=name,
        phone_number=read_number(phone_number),
        greeting=greeting,
        instructions=instructions,
        runtime=RuntimeKind(runtime),
        sip_uri=sip_uri,
    )


def contact_row(contact: Contact) -> Row:
    """
    Write a contact.
    """
    return (
        contact.id,
        contact.account_id,
        contact.first_name,
        contact.last_name,
        contact.email,
        contact.company,
        write_number(contact.phone_number),
    )


def read_contact(row: Row) -> Contact:
    """
    Read a contact.
    """
    number, account_id, first_name, last_name, email, company, phone_number = row
    return Contact(
        id=number,
        account_id=account_id,
        first_name=first_name,
        last_name=last_name,
        email=email,
        company=company,
        phone_number=read_number(phone_number),
    )


def dnc_row(entry: DncEntry) -> Row:
    """
    Write a Do-Not-Call entry.
    """
    return entry.account_id, entry.phone_number.e164, entry.reason, write_time(entry.listed_at)


def read_dnc_entry(row: Row) -> DncEntry:
    """
    Read a Do-Not-Call entry.
    """
    account_id, e164, reason, listed_at = row
    return DncEntry(
        account_id=account_id, phone_number=PhoneNumber(e164), reason=reason, listed_at=read_time(listed_at)
    )


def rate_row(rate: Rate) -> Row:
    """
    Write a rate.
    """
    return rate.currency, rate.prefix, rate.per_minute_micros, rate.increment_s, rate.minimum_s


def read_rate(row: Row) -> Rate:
    """
    Read a rate.
    """
    currency, prefix, per_minute_micros, increment_s, minimum_s = row
    return Rate(
        currency=currency,
        prefix=prefix,
        per_minute_micros=per_minute_micros,
        increment_s=increment_s,
        minimum_s=minimum_s,
    )
