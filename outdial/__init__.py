"""
Decide, pay for and place outbound phone calls from AI agents, each at most once.

    async with outdial.open(outdial.Settings(database="memory:")) as dialer:
        decision = await dialer.dial("+15551234567", agent.id)
"""

from outdial.domain.model.call import Call, Status
from outdial.domain.model.decision import Accepted, Decision, Refused, Replayed
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.model.status_change import StatusChange
from outdial.domain.rules.preview import Judgement, Preview, Verdict
from outdial.domain.service.agents import AgentView
from outdial.domain.service.contacts import ContactView
from outdial.domain.service.decisions import DecidedCall
from outdial.domain.service.incidents import IncidentsPage
from outdial.domain.service.reading import CallView
from outdial.entrypoints.auditing import Audited, audit
from outdial.entrypoints.client.event_stream import EventStream
from outdial.entrypoints.composition import back_up
from outdial.entrypoints.library import Dialer, open  # noqa: A004 - `outdial.open`
from outdial.entrypoints.settings import Settings, SettingsError, read_settings
from outdial.entrypoints.wire.call_requests import CallsQuery
from outdial.entrypoints.wire.contacts import ContactChangeBody, NewContactBody
from outdial.ports.errors import OutdialError
from outdial.version import VERSION

__version__ = VERSION

__all__ = [
    "Accepted",
    "AgentView",
    "Audited",
    "Call",
    "CallView",
    "CallsQuery",
    "ContactChangeBody",
    "ContactView",
    "DecidedCall",
    "Decision",
    "Dialer",
    "Disposition",
    "EventStream",
    "Grounds",
    "IncidentsPage",
    "Judgement",
    "NewContactBody",
    "OutdialError",
    "Permission",
    "Preview",
    "Reason",
    "Refusal",
    "Refused",
    "Replayed",
    "Settings",
    "SettingsError",
    "Status",
    "StatusChange",
    "Verdict",
    "__version__",
    "audit",
    "back_up",
    "open",
    "read_settings",
]
