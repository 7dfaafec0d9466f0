"""
Values to rows: who asks, who talks, who is called, what it costs.

They are written by the statements' parameters.
"""

from outdial.adapters.postgres.statements import Value, Values
from outdial.adapters.relational.columns import (
    write_json,
    write_number,
    write_time,
    write_time_or_none,
    write_variables,
)
from outdial.domain.model.agent import Agent
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.do_not_call import DncList
from outdial.domain.model.principal import Account, ApiKey
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
        "requests_per_minute": key.requests_per_minute,
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
        "model": agent.model,
        "voice_id": agent.voice_id,
        "team_id": agent.team_id,
    }


def person_columns(person: Person) -> Columns:
    """
    Write a contact without its numbers.
    """
    return {
        "id": person.id,
        "account_id": person.account_id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "company": person.company,
        "timezone": person.timezone,
        "custom_context": write_variables(person.custom_context),
    }


def contact_number_columns(contact: Contact) -> Values:
    """
    Write a contact's numbers, each column as a list.
    """
    numbers = contact.phone_numbers
    return {
        "contact_id": contact.id,
        "account_id": contact.account_id,
        "ids": [number.id for number in numbers],
        "phone_numbers": [number.phone_number.e164 for number in numbers],
        "phone_types": [number.phone_type.value for number in numbers],
        "are_primary": [int(number.is_primary) for number in numbers],
    }


def dnc_list_columns(dnc_list: DncList) -> Columns:
    """
    Write a Do-Not-Call list.
    """
    return {
        "id": dnc_list.id,
        "account_id": dnc_list.account_id,
        "name": dnc_list.name,
        "source": dnc_list.source,
        "created_at": write_time(dnc_list.created_at),
    }


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
