"""
Who is called, as far as the account knows.
"""

from collections.abc import Mapping

import attrs

from outdial.domain.model.phone_number import PhoneNumber


@attrs.frozen(kw_only=True)
class Contact:
    """
    A person in an account's address book.

    Attributes:
        phone_number: Its number, if one is known; calls may go to any other.
    """

    id: int
    account_id: int
    first_name: str = attrs.field(validator=attrs.validators.min_len(1))
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    phone_number: PhoneNumber | None = None

    @property
    def values(self) -> Mapping[str, str]:
        """
        The fields that an agent's texts may name.
        """
        fields = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "company": self.company,
        }
        return {name: value for name, value in fields.items() if value is not None}
