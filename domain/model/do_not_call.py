"""
Numbers that an account must not dial.
"""

from datetime import datetime

import attrs

from outdial.domain.model.phone_number import PhoneNumber


@attrs.frozen(kw_only=True)
class DncEntry:
    """
    A number on an account's Do-Not-Call list.

    Attributes:
        reason: Why it was listed, in the words of whoever did; may be empty.

        listed_at: When, in UTC.
    """

    account_id: int
    phone_number: PhoneNumber
    reason: str
    listed_at: datetime
