"""
Why a client's calls were accepted or refused.
"""

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Refused
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.ports.storage import Reader


@attrs.frozen(kw_only=True)
class DecidedCall:
    """
    An accepted call with what its acceptance rested on.
    """

    call: Call
    grounds: Grounds


@attrs.frozen(kw_only=True)
class RefusalsPage:
    """
    Some refusals, newest first.

    Attributes:
        following: The number that the next page stands before; `None` on the last page.
    """

    refusals: tuple[Refusal, ...]
    following: int | None


def view_decision(reader: Reader, account: Account, reference: CallReference | None) -> DecidedCall | Refused:
    """
    Return what the acceptance of an account's call rested on.

    Args:
        reference: `None` when the client's name for it can't be one.
    """
    call = reader.calls.call(account.id, reference) if reference is not None else None
    grounds = reader.decisions.grounds(account.id, call.id) if call is not None else None
    if call is None or grounds is None:
        return Refused(reason=Reason.NOT_FOUND)
    return DecidedCall(call=call, grounds=grounds)


def view_refusal(reader: Reader, account: Account, number: int | None) -> Refusal | Refused:
    """
    Return one of the account's refusals, which are kept for a while.

    Args:
        number: `None` when the client's name for it can't be one.
    """
    refusal = reader.decisions.refusal(account.id, number) if number is not None else None
    return refusal if refusal is not None else Refused(reason=Reason.NOT_FOUND)


def list_refusals(
    reader: Reader, account: Account, *, reason: Reason | None, before: int | None, limit: int
) -> RefusalsPage:
    """
    Return a page of the account's refusals.

    Args:
        before: The `following` of the page before; `None` for the first.

        limit: Refusals of one page; at least 1.
    """
    found = reader.decisions.refusals(account.id, reason=reason, before=before, limit=limit + 1)
    page = found[:limit]
    return RefusalsPage(refusals=page, following=page[-1].number if len(found) > limit else None)
