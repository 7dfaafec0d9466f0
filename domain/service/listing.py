"""
Lists of what an account has.
"""

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.listing import COUNT_MAX, CallFilter, Page, PageRange
from outdial.domain.model.principal import Account
from outdial.domain.service.reading import CallView
from outdial.ports.storage import Reader


def list_calls(reader: Reader, account: Account, wanted: CallFilter, page: PageRange) -> Page[CallView]:
    """
    Return a page of the account's calls, newest first, each with its contact.
    """
    found, count = _found(reader, account, wanted, page)
    calls = found[: page.limit]
    contacts = reader.contacts.people(account.id, {call.contact_id for call in calls if call.contact_id is not None})
    views = (CallView(call=call, contact=contacts.get(call.contact_id or 0)) for call in calls)
    following = calls[-1].id if len(found) > page.limit else None
    return Page(records=tuple(views), count=count, range=page, following=following)


def _found(reader: Reader, account: Account, wanted: CallFilter, page: PageRange) -> tuple[tuple[Call, ...], int]:
    """
    Return the calls of a page and, if there is one, the call behind it; and how many there are on all pages.
    """
    if wanted.agent_id is not None:
        agent = reader.directory.agent(account.id, wanted.agent_id)
        if agent is None:
            return (), 0
        wanted = attrs.evolve(wanted, agent_id=agent.id)
    if wanted.idempotency_key is not None:
        prior = reader.calls.prior(account.id, wanted.idempotency_key)
        fitting = (prior,) if prior is not None and _fits(prior, wanted) else ()
        ahead = tuple(call for call in fitting if page.before is None or call.id < page.before)
        return ahead[page.skip :], len(fitting)
    found = reader.history.page(account.id, wanted, attrs.evolve(page, limit=page.limit + 1))
    return found, reader.history.count(account.id, wanted, at_most=COUNT_MAX)


def _fits(call: Call, wanted: CallFilter) -> bool:
    return (
        wanted.agent_id in (None, call.agent_id)
        and wanted.contact_id in (None, call.contact_id)
        and call.listed_as in wanted.words
    )
