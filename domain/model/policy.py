"""
What the operator has settled for all accounts.
"""

import attrs
from attrs.validators import ge, le

from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.phone_number import NumberCheck
from outdial.domain.model.rate import INCREMENT_S_MAX

DAY_S = 86_400
QUEUE_TIMEOUT_S_MAX = 30 * DAY_S

ESTIMATED_START_DELAY_S = 5
"""What clients are told to expect between acceptance and dialling, as in the published reference's example."""


@attrs.frozen(kw_only=True)
class Policy:
    """
    The operator's settings that rules read.

    Attributes:
        number_check: How closely numbers are looked at.

        max_call_duration_s: No call talks longer; the hold pays for this much when the wallet can.

        queue_timeout_s: A call that was not dialled for this long expires; 1 s to 30 days.

        minimum_hold_s: A wallet that can't pay for this much talk is refused.

        idempotency_retention_s: How long a request with an idempotency key is answered again; later it is refused.

        default_rate_micros: Price per minute where no rate has a fitting prefix, in any currency; bounds as in `Rate`.

        default_increment_s: The billing increment of that price; 1 to 3,600.

        default_minimum_s: The least that an answered call of that price is billed; 0 to 3,600.
    """

    number_check: NumberCheck = NumberCheck.POSSIBLE
    max_call_duration_s: int = attrs.field(default=1800, validator=ge(1))
    queue_timeout_s: int = attrs.field(default=DAY_S, validator=[ge(1), le(QUEUE_TIMEOUT_S_MAX)])
    minimum_hold_s: int = attrs.field(default=60, validator=ge(1))
    idempotency_retention_s: int = attrs.field(default=30 * DAY_S, validator=attrs.validators.ge(1))
    default_rate_micros: int = attrs.field(default=50_000, validator=[ge(0), le(MICROS_MAX)])
    default_increment_s: int = attrs.field(default=60, validator=[ge(1), le(INCREMENT_S_MAX)])
    default_minimum_s: int = attrs.field(default=0, validator=[ge(0), le(INCREMENT_S_MAX)])
