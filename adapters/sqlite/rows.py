"""
Values to rows: who asks, who talks, who is called, what it costs.

Each row has the column order of the statements that write it.
"""

from outdial.adapters.relational.columns import (
    write_json,
    write_number,
    write_time,
    write_time_or_none,
    write_variables,
)
from outdial.adapters.relational.values import Row
from outdial.domain.model.agent import Agent
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.do_not_call import DncList
from outdial.domain.model.principal import Account, ApiKey
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
        key.requests_per_minute,
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
        agent.model,
        agent.voice_id,
        agent.team_id,
    )


def person_row(person: Person) -> Row:
    """
    Write a contact without its numbers.
    """
    return (
        person.first_name,
        person.last_name,
        person.email,
        person.company,
        person.timezone,
        write_variables(person.custom_context),
        person.id,
        person.account_id,
    )


def contact_number_rows(contact: Contact) -> list[Row]:
    """
    Write a contact's numbers.
    """
    return [
        (
            number.id,
            contact.id,
            contact.account_id,
            number.phone_number.e164,
            number.phone_type.value,
            int(number.is_primary),
        )
        for number in contact.phone_numbers
    ]


def dnc_list_row(dnc_list: DncList) -> Row:
    """
    Write a Do-Not-Call list.
    """
    return dnc_list.id, dnc_list.account_id, dnc_list.name, dnc_list.source, write_time(dnc_list.created_at)


def rate_row(rate: Rate) -> Row:
    """
    Write a rate.
    """
    return rate.currency, rate.prefix, rate.per_minute_micros, rate.increment_s, rate.minimum_s
