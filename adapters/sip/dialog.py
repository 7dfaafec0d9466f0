"""
One outbound INVITE dialog (RFC 3261, 12 and 13): sippy's user agent, held to what a calling service may do.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, Protocol

import attrs
import structlog
from sippy.CCEvents import CCEventTry
from sippy.MsgBody import MsgBody
from sippy.SipCallId import SipCallId
from sippy.SipContact import SipContact
from sippy.SipFrom import SipFrom
from sippy.SipGenericHF import SipGenericHF
from sippy.SipHeader import SipHeader
from sippy.SipRoute import SipRoute
from sippy.SipTo import SipTo
from sippy.SipURL import SipURL
from sippy.UA import UA
from sippy.UacStateCancelling import UacStateCancelling
from sippy.UacStateTrying import UacStateTrying
from sippy.UaStateConnected import UaStateConnected

from outdial.adapters.sip.lost_calls import LostDialog
from outdial.adapters.sip.outcomes import CHALLENGES
from outdial.adapters.sip.transactions import TransactionManager
from outdial.adapters.sip.transports import Host, Server
from outdial.domain.model.sip_address import Transport

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS"

log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class Invitation:
    """
    All that goes into one INVITE.

    Attributes:
        request_uri: Whom to invite.

        next_hop: Where to send it.

        peer_name: Whom the certificate of the next hop has to name.

        call_id: Unique over all time.

        caller: User part of the caller's address.

        caller_host: Its host part.

        offer: Session description.

        headers: Further headers.

        credentials: Username and password, for a challenge.

        expires_s: The far end stops ringing after this long by itself, should we be gone by then.
    """

    request_uri: str
    transport: Transport
    next_hop: Host
    peer_name: str
    call_id: str
    caller: str
    caller_host: str
    offer: str
    headers: tuple[tuple[str, str], ...] = ()
    credentials: tuple[str, str] | None = attrs.field(default=None, repr=False)
    expires_s: int = 300


class Listener(Protocol):
    """
    Who hears what happens in a dialog.
    """

    def on_event(self, event: Any) -> None:
        """
        Hear of sippy's event.
        """

    def on_provisional(self, code: int) -> None:
        """
        Hear of a 1xx after the CANCEL was asked for.
        """

    def on_final_after_cancel(self, response: Any) -> None:
        """
        Hear of the final response to an INVITE after its CANCEL; a 2xx got its ACK and BYE.
        """

    def on_offer(self, offer: str | None) -> str | None:
        """
        Answer a re-INVITE's offer, or make an offer if it has none; `None` refuses.
        """

    def on_broken(self) -> None:
        """
        Hear that a response to the INVITE was not understood.
        """


class Dialog(UA):  # type: ignore[misc]  # sippy has no types
    """
    A dialog that we started and nobody else may steer.
    """

    username: str | None
    password: str | None
    rCSeq: int | None  # noqa: N815 - sippy's name
    rAddr: Any  # noqa: N815 - sippy's name
    lSDP: Any  # noqa: N815 - sippy's name

    def __init__(self, transactions: TransactionManager, invitation: Invitation, listener: Listener) -> None:
        super().__init__(
            transactions.global_config,
            event_cb=lambda event, _ua: listener.on_event(event),
            nh_address=invitation.next_hop,
            nh_transport=invitation.transport,
        )
        self.setAuth(*(invitation.credentials or (None, None)))
        self.lContact = SipContact()
        self.lContact.address.name = None
        self.last_response: Any = None
        self._transactions = transactions
        self._invitation = invitation
        self._listener = listener
        self._challenged = False
        self._bye_challenged = False
        self.on_bye_answered: Callable[[int], None] = lambda _code: None

    def invite(self) -> None:
        """
        Send the INVITE.
        """
        invitation = self._invitation
        data = (SipCallId(invitation.call_id), invitation.caller, None, body(invitation.offer), None, None)
        event = CCEventTry(data)
        event.extra_headers = tuple(SipHeader(name=name, body=Verbatim(name, value)) for name, value in self._headers())
        event.onUacSetupComplete = self._address
        self.recvEvent(event)

    def as_kept(self) -> LostDialog:
        """
        Return what a later process needs to end the dialog once it is established.
        """
        return LostDialog(
            call_id=str(self.cId),
            caller=str(self.lUri),
            callee=str(self.rUri),
            target=str(self.rTarget),
            routes=[str(route) for route in self.routes],
            sequence=self.lCSeq,
            peer=self._invitation.next_hop if self._invitation.transport != "udp" else self.rAddr[0],
            transport=self._invitation.transport,
            name=self._invitation.peer_name,
            authenticates=self._invitation.credentials is not None,
        )

    def end_lost(self, lost: LostDialog) -> None:
        """
        Send the BYE of a dialog that another process established.
        """
        self.cId = SipCallId(lost.call_id)
        self.lUri, self.rUri = SipFrom(lost.caller), SipTo(lost.callee)
        self.rTarget = SipURL(lost.target)
        self.routes = [SipRoute(route) for route in lost.routes]
        for header in (self.lUri, self.rUri, *self.routes):
            header.parse()
        self.lCSeq = lost.sequence
        self.newTransaction(self.genRequest("BYE"))

    def acknowledge_stray(self, response: Any, server: Server) -> LostDialog:
        """
        Send the ACK of a 2xx whose INVITE another process sent, and return the dialog that it established.
        """
        self.cId = response.getHFBody("call-id").getCopy()
        self.lUri, self.rUri = response.getHFBCopy("from"), response.getHFBCopy("to")
        self.lCSeq = response.getHFBody("cseq").getCSeqNum()
        UacStateTrying.updateRoutes(SimpleNamespace(ua=self), response)
        ack = self.genRequest("ACK")
        self._transactions.acknowledge(ack, server, ack.getTarget()[0])
        return self.as_kept()

    def stop_authenticating(self) -> None:
        """
        Answer no further challenge, as that would be a new INVITE after the CANCEL.
        """
        self.username = self.password = None

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("Allow", ALLOW), *self._invitation.headers)

    def _address(self, _dialog: Any) -> None:
        self.rTarget = SipURL(self._invitation.request_uri)
        self.rUri.getUrl().username = self.rTarget.username
        self.rUri.getUrl().host = self.rTarget.host
        self.lUri.getUrl().host = self._invitation.caller_host

    # What follows overrides sippy's methods by sippy's names.

    def genRequest(self, method: str, *arguments: Any, **options: Any) -> Any:  # noqa: N802
        """
        Keep a stream leg on the connection of its INVITE (RFC 5923), and limit how long an INVITE is good for.
        """
        if self._invitation.transport != "udp":
            self.rAddr = self.rAddr0  # the connection of the INVITE, as RFC 5923 would have it
        request = super().genRequest(method, *arguments, **options)
        if method == "INVITE":
            request.getHFBody("expires").number = self._invitation.expires_s
        return request

    def processChallenge(self, *arguments: Any, **options: Any) -> bool:  # noqa: N802
        """
        Answer one challenge for each INVITE: a second one means that the credentials are wrong.
        """
        if self._challenged:
            return False
        self._challenged = super().processChallenge(*arguments, **options)
        return self._challenged

    def recvResponse(self, resp: Any, tr: Any) -> None:  # noqa: N802
        """
        Take a response, however odd.
        """
        self.last_response = resp
        canceled = isinstance(self.state, UacStateCancelling)
        try:
            super().recvResponse(resp, tr)
        except Exception as error:  # noqa: BLE001 - one odd response must not disturb other calls
            log.warning("sip_response_not_understood", error=type(error).__name__)
            self._listener.on_broken()
            return
        if canceled and resp.getSCode()[0] < 200:  # noqa: PLR2004 - sippy keeps it to itself in this state
            self._listener.on_provisional(resp.getSCode()[0])
        elif canceled:
            self._listener.on_final_after_cancel(resp)

    def recvRequest(self, req: Any, sip_t: Any) -> Any:  # noqa: N802
        """
        Take a request in the dialog; sippy answers neither a re-INVITE without SDP nor unknown methods as it should.
        """
        method = req.getMethod()
        if method == "REFER":  # a trunk must not be able to send a call elsewhere
            return req.genResponse(603, "Decline"), None, None
        if method == "INVITE" and isinstance(self.state, UaStateConnected):
            return self._receive_reinvite(req)
        answer = super().recvRequest(req, sip_t)
        if answer is None and sip_t.data is None:
            return req.genResponse(405, "Method Not Allowed"), None, None
        return answer

    def _receive_reinvite(self, request: Any) -> Any:
        sequence = request.getHFBody("cseq").getCSeqNum()
        if self.rCSeq is not None and self.rCSeq >= sequence:
            return request.genResponse(500, "Server Internal Error"), None, None
        self.rCSeq = sequence
        offer = request.getBody()
        answer = self._listener.on_offer(None if offer is None else str(offer))
        if answer is None:
            return request.genResponse(488, "Not Acceptable Here"), None, None
        if request.countHFs("contact") > 0:  # a target refresh (RFC 3261, 12.2.2)
            self.rTarget = request.getHFBody("contact").getUrl().getCopy()
            self.rAddr = self.rAddr if self.routes else self.rTarget.getTAddr()
        response = request.genResponse(200, "OK")
        response.appendHeader(SipHeader(name="contact", body=self.lContact.getCopy()))
        response.setBody(body(answer))
        return response, None, None

    def newTransaction(self, req: Any, req_extra_headers: Any = None, **options: Any) -> Any:  # noqa: N802
        """
        Send a request; look out for the response to a BYE.
        """
        if req.getMethod() == "BYE":
            options["resp_cb"] = self._receive_bye_response
        return super().newTransaction(req, req_extra_headers, **options)

    def _receive_bye_response(self, response: Any) -> None:
        """
        Answer a challenge to the BYE, once: a trunk that wants one would let the call and its costs go on.
        """
        code = response.getSCode()[0]
        if code not in CHALLENGES or self._bye_challenged or self._invitation.credentials is None:
            if code // 100 > 1:
                self.on_bye_answered(code)
            return
        self._bye_challenged = True
        self.username, self.password = self._invitation.credentials
        names = ("www-authenticate", "proxy-authenticate")
        for challenge in [found for name in names for found in response.getHFBodys(name)]:
            supported, qop = challenge.supportedAlgorithm()
            if supported:
                self.newTransaction(self.genRequest("BYE", None, (challenge, qop)))
                return
        self.on_bye_answered(code)


class Verbatim(SipGenericHF):  # type: ignore[misc]  # sippy has no types
    """
    A header that keeps its name as written.
    """

    def __init__(self, name: str, value: str) -> None:
        super().__init__(value.encode().decode("latin-1"), name)
        self._name = name
        self.parsed = True

    def getCanName(self, name: str, compact: bool = False) -> str:  # noqa: N802, FBT001, FBT002 - sippy's signature
        """
        Return the name.
        """
        del name, compact
        return self._name

    def getCopy(self) -> "Verbatim":  # noqa: N802 - sippy's name
        """
        Return itself, as it never changes.
        """
        return self


def body(description: str) -> Any:
    """
    Wrap a session description for sippy.
    """
    wrapped = MsgBody(description)
    wrapped.needs_update = False
    return wrapped
