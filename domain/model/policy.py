"""
What the operator has settled for all accounts.
"""

import attrs

from outdial.domain.model.phone_number import NumberCheck

ESTIMATED_START_DELAY_S = 5
"""What clients are told to expect between acceptance and dialling, as in the published reference's example."""


@attrs.frozen(kw_only=True)
class Policy:
    """
    The operator's settings that rules read.

    Attributes:
        number_check: How closely numbers are looked at.

        max_call_duration_s: No call talks longer; the hold pays for this much when the wallet can.

        minimum_hold_s: A wallet that can't pay for this much talk is refused.

        default_rate_micros: Price per minute where no rate has a fitting prefix, in any currency.

        default_increment_s: The billing increment of that price.

        default_minimum_s: The least that an answered call of that price is billed.
    """

    number_check: NumberCheck = NumberCheck.POSSIBLE
    max_call_duration_s: int = attrs.field(default=1800, validator=attrs.validators.ge(1))
    minimum_hold_s: int = attrs.field(default=60, validator=attrs.validators.ge(1))
    default_rate_micros: int = attrs.field(default=50_000, validator=attrs.validators.ge(0))
    default_increment_s: int = attrs.field(default=60, validator=attrs.validators.ge(1))
    default_minimum_s: int = attrs.field(default=0, validator=attrs.validators.ge(0))
