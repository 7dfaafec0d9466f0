"""
Showing the operator who was reached by calls that were not to go on.
"""

from collections.abc import Iterable

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.incident import Incident
from outdial.domain.service.administration import account_of
from outdial.ports.storage import Reader


@attrs.frozen(kw_only=True)
class IncidentView:
    """
    An incident, with the call as it is now.

    Attributes:
        call: As of the incident's attempt, so that its `attempt_id` is the one that the network knows.
    """

    incident: Incident
    call: Call


@attrs.frozen(kw_only=True)
class IncidentsPage:
    """
    Some incidents, newest first.

    Attributes:
        following: The number that the next page stands before; `None` on the last page.
    """

    incidents: tuple[IncidentView, ...]
    following: int | None


def list_incidents(reader: Reader, account_id: int | None, *, before: int | None, limit: int) -> IncidentsPage:
    """
    Return a page of incidents.

    Args:
        account_id: Whose; `None` for those of all accounts.

        before: The `following` of the page before; `None` for the first.

        limit: Incidents of one page; at least 1.

    Raises:
        UnknownRecordError: There is no such account.
    """
    if account_id is None:
        found = reader.incidents.of_any_account(before=before, limit=limit + 1)
    else:
        account_of(reader, account_id)
        found = reader.incidents.incidents(account_id, before=before, limit=limit + 1)
    page = found[:limit]
    following = page[-1].number if len(found) > limit else None
    return IncidentsPage(incidents=_views(reader, page), following=following)


def _views(reader: Reader, incidents: Iterable[Incident]) -> tuple[IncidentView, ...]:
    found = ((one, reader.calls.call_of_any_account(CallReference(number=one.call_id))) for one in incidents)
    views = ((one, attrs.evolve(call, attempt=one.attempt)) for one, call in found if call is not None)
    return tuple(IncidentView(incident=one, call=call) for one, call in views)
