"""
Who asks, and who pays.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hmac import compare_digest

import attrs
from attrs.validators import ge, le

from outdial.domain.model.identifiers import KeyProof, read_key
from outdial.domain.model.money import check_currency
from outdial.domain.model.phone_number import NumberKind, is_region
from outdial.domain.model.rate_limit import CALLS_PER_DAY, REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE_MAX


class Permission(StrEnum):
    """
    What an API key may be allowed to do.
    """

    INITIATE_CALLS = "can_initiate_calls"
    READ_CALLS = "can_read_calls"
    READ_AGENTS = "can_read_agents"
    READ_CONTACTS = "can_read_contacts"
    WRITE_CONTACTS = "can_write_contacts"
    MANAGE_DNC = "can_manage_dnc"
    MANAGE_WEBHOOKS = "can_manage_webhooks"


@attrs.frozen(kw_only=True)
class PresentedKey:
    """
    The text that a stranger offers as an API key.

    Attributes:
        text: As it was sent, without `Bearer`; `None` when nothing was.
    """

    text: str | None = attrs.field(repr=False)

    @cached_property
    def proof(self) -> KeyProof | None:
        """
        The key that it claims to be, if its text can be one; read once, as everybody who admits it asks.
        """
        return None if self.text is None else read_key(self.text)


@attrs.frozen(kw_only=True)
class Operator:
    """
    Whoever runs outdial, at its command line or in its process, acting for an account.
    """

    account_id: int


Credential = PresentedKey | Operator
"""What a request is made with."""


@attrs.frozen(kw_only=True)
class ApiKey:
    """
    A key as it is stored: never its secret.

    Attributes:
        secret_hash: SHA-256 of the secret, 32 bytes.

        revoked_at: `None` while it works.

        expires_at: `None` when it never expires.

        calls_per_day: Calls that it may have accepted on one day of UTC.

        requests_per_minute: Requests that it may make in any 60 seconds; 1 to 60,000.
    """

    id: int
    account_id: int
    permissions: frozenset[Permission]
    secret_hash: bytes = attrs.field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    calls_per_day: int = attrs.field(default=CALLS_PER_DAY, validator=ge(0))
    requests_per_minute: int = attrs.field(default=REQUESTS_PER_MINUTE, validator=[ge(1), le(REQUESTS_PER_MINUTE_MAX)])

    def is_live(self, now: datetime) -> bool:
        """
        Tell whether the key works at a time.
        """
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def is_proved_by(self, proof: KeyProof) -> bool:
        """
        Tell in constant time whether a presented key is this one.
        """
        return self.id == proof.key_id and compare_digest(self.secret_hash, proof.secret_hash)


def _check_region(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None and not is_region(value):
        raise ValueError(f"{value!r} is not an ISO 3166 region such as US")


def _check_regions(_instance: object, _attribute: object, value: frozenset[str]) -> None:
    for region in value:
        _check_region(None, None, region)


@attrs.frozen(kw_only=True)
class Account:
    """
    A tenant: owns keys, agents, contacts, a wallet and its calls.

    Attributes:
        currency: ISO 4217 code of its wallet.

        default_region: ISO 3166 region of numbers written without `+`; `None` to insist on `+`.

        allowed_regions: Regions that may be called; empty for all.

        price_caps_micros: Kinds of numbers beside ordinary ones that may be called, each with the highest price per
            minute in micros.
    """

    id: int
    name: str = attrs.field(validator=attrs.validators.min_len(1))
    currency: str = attrs.field(converter=check_currency)
    created_at: datetime
    default_region: str | None = attrs.field(default=None, validator=_check_region)
    allowed_regions: frozenset[str] = attrs.field(factory=frozenset, validator=_check_regions)
    price_caps_micros: Mapping[NumberKind, int] = attrs.field(factory=dict)
