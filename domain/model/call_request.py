"""
What a client asks for: the fields of a call.
"""

from datetime import datetime

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Credential
from outdial.domain.model.rate_limit import Window
from outdial.domain.model.template import Variables


@attrs.frozen(kw_only=True)
class CallFields:
    """
    The fields of a call, each of its type; whether they name anything is for the rules to say.

    Attributes:
        phone_number: The number as it was written.

        contact_id: `None` when no contact was given.

        variables: A JSON object within its limits.
    """

    phone_number: str
    agent_id: AgentReference
    contact_id: int | None
    variables: Variables


@attrs.frozen(kw_only=True)
class CallRequest:
    """
    One request for a call, as it came in.

    Attributes:
        credential: Whom it claims to come from.

        content: Its fields, or why they can't be read.

        token: Random letters and digits for the call's public id.

        received_at: When it came in, in UTC: the `now` of its decision.

        idempotency_key: What the client calls this request by, so that it may ask again; 1 to 255 characters.

        window: What the key's requests per minute say about it; `None` where nobody counts, as for the operator.

        trace_parent: Its place in its trace, as W3C Trace Context writes it; `None` when nobody traces.
    """

    credential: Credential
    content: CallFields | Refused
    token: str
    received_at: datetime
    idempotency_key: str | None = None
    window: Window | None = None
    trace_parent: str | None = None
