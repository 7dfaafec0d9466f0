"""
Rows to values and back: who asks, who talks, who is called, what it costs.

Rows are read in the column order of the statements; they are written by the statements' parameters.
"""

from outdial.adapters.postgres.columns import (
    read_json,
    read_number,
    read_time,
    read_time_or_none,
    write_json,
    write_number,
    write_time,
    write_time_or_none,
)
from outdial.adapters.postgres.statements import Row, Value
from outdial.domain.model.agent import Agent, RuntimeKind
from outdial.domain.model.contact import Contact
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate import Rate

Columns = dict[str, Value]


def account_columns(account: Account) -> Columns:
    """
    Write an account.
    """
    return {
        "account_id": account.id,
        "name": account.name,
        "currency": account.currency,
        "created_at": write_time(account.created_at),
        "default_region": account.default_region,
        "allowed_regions": write_json(account.allowed_regions),
        "price_caps_micros": write_json(dict(account.price_caps_micros)),
    }


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


def key_columns(key: ApiKey) -> Columns:
    """
    Write a key.
    """
    return {
        "id": key.id,
        "account_id": key.account_id,
        "secret_hash": key.secret_hash,
        "created_at": write_time(key.created_at),
        "calls_per_day": key.calls_per_day,
        **key_change(key),
    }


def key_change(key: ApiKey) -> Columns:
    """
    Write the part of a key that may change.
    """
    return {
        "id": key.id,
        "permissions": write_json(key.permissions),
        "expires_at": write_time_or_none(key.expires_at),
        "revoked_at": write_time_or_none(key.revoked_at),
    }


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


def agent_columns(agent: Agent) -> Columns:
    """
    Write an agent.
    """
    return {
        "id": agent.id,
        "account_id": agent.account_id,
        "assistant_id": agent.assistant_id,
        "name": agent.name,
        "phone_number": write_number(agent.phone_number),
        "greeting": agent.greeting,
        "instructions": agent.instructions,
        "runtime": agent.runtime.value,
        "sip_uri": agent.sip_uri,
    }


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


def contact_columns(contact: Contact) -> Columns:
    """
    Write a contact.
    """
    return {
        "id": contact.id,
        "account_id": contact.account_id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "company": contact.company,
        "phone_number": write_number(contact.phone_number),
    }


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


def dnc_columns(entry: DncEntry) -> Columns:
    """
    Write a Do-Not-Call entry.
    """
    return {
        "account_id": entry.account_id,
        "phone_number": entry.phone_number.e164,
        "reason": entry.reason,
        "listed_at": write_time(entry.listed_at),
    }


def read_dnc_entry(row: Row) -> DncEntry:
    """
    Read a Do-Not-Call entry.
    """
    account_id, e164, reason, listed_at = row
    return DncEntry(
        account_id=account_id, phone_number=PhoneNumber(e164), reason=reason, listed_at=read_time(listed_at)
    )


def rate_columns(rate: Rate) -> Columns:
    """
    Write a rate.
    """
    return {
        "currency": rate.currency,
        "prefix": rate.prefix,
        "per_minute_micros": rate.per_minute_micros,
        "increment_s": rate.increment_s,
        "minimum_s": rate.minimum_s,
    }


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
