"""
SIP transactions (RFC 3261, 17): sippy's manager on our transports, with the repairs that test calls asked for.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import structlog
from sippy.SipResponse import SipResponse
from sippy.SipTransactionManager import RINGING, TRYING, SipTransactionManager
from sippy.Time.MonoTime import MonoTime
from sippy.Time.Timeout import Timeout

from outdial.adapters.sip.transports import Host, Server

_CACHE_S: Final = 32
"""Repeated messages are recognised for one to two times as long (64 T1)."""

HEADER_BYTES_MAX: Final = 16 * 1024
"""Of a message before its body; a call's has 1 or 2 KiB, and sippy takes 2 us for each comma."""

_SUCCESS: Final = re.compile(r"SIP/2\.0 2[0-9]{2} ")
_CALL_ID: Final = re.compile(r"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_TAG: Final = re.compile(r"^(?:To|t)[ \t]*:.*;[ \t]*tag[ \t]*=[ \t]*([^;,\s]+)", re.IGNORECASE | re.MULTILINE)
_SEQUENCE: Final = re.compile(r"^CSeq[ \t]*:[ \t]*([0-9]+)[ \t]+INVITE", re.IGNORECASE | re.MULTILINE)

log = structlog.get_logger()


class _Silent:
    """
    Takes sippy's log of whole messages and keeps nothing, as they hold phone numbers and credentials.
    """

    def write(self, *_parts: object, **_options: object) -> None:
        """
        Drop it.
        """


class _NoServers:
    """
    Stands in for sippy's own table of UDP sockets, which would open some.
    """

    def rotateCache(self) -> None:  # noqa: N802 - sippy's name
        """
        Have nothing to rotate.
        """


class TransactionManager(SipTransactionManager):  # type: ignore[misc]  # sippy has no types
    """
    All transactions of one endpoint.

    Repairs: an ACK leaves before whatever its response makes us send; nothing is repeated on a stream; a request
    of a dialog stays on the connection of its INVITE; an ACK for a failure goes where its INVITE went; a 2xx that
    comes again gets its ACK again, even if a hop changed it; one that belongs to no dialog is not left to itself; an
    upper-case transport parameter is understood; a body is measured in octets.

    Attributes:
        on_stray: Takes a 2xx to an INVITE of which this process knows nothing, and where it came from: the phone was
            answered after the process that dialled it had gone, or at a second one that the call was forked to.
    """

    def __init__(self) -> None:
        # sippy's constructor would bind its own sockets, so its fields are set here.
        self.global_config = {"_sip_logger": _Silent(), "_sip_tm": self}
        self.servers: dict[str, Server] = {}
        self.tclient: dict[Any, Any] = {}
        self.tserver: dict[Any, Any] = {}
        self.l1rcache: dict[bytes, Any] = {}
        self.l2rcache: dict[bytes, Any] = {}
        self.req_consumers: dict[str, Any] = {}
        self.req_cb = _answer_stranger
        self.l4r = _NoServers()
        self.cp_timer = Timeout(self.rCachePurge, _CACHE_S, -1)
        self._corked: list[tuple[Any, ...]] | None = None
        self._closed = False
        self._acks: dict[tuple[str, str, str], tuple[Any, Any, Any]] = {}
        self._older_acks: dict[tuple[str, str, str], tuple[Any, Any, Any]] = {}
        self.on_stray: Callable[[Any, Host, Server], None] = lambda _response, _source, _server: None

    @property
    def unanswered(self) -> int:
        """
        How many of our requests still wait for their final response.
        """
        waiting = (transaction for transaction in self.tclient.values() if transaction.state in {TRYING, RINGING})
        return sum(1 for transaction in waiting if not getattr(transaction, "is_given_up", False))

    def receive(self, data: bytes, source: Any, server: Server) -> None:
        """
        Take one message from a transport; whatever it holds, nothing is raised.
        """
        if self._closed:
            return
        # One character for each octet: sippy compares the Content-Length with the number of characters.
        text = data.decode("latin-1")
        if len(text.partition("\r\n\r\n")[0]) > HEADER_BYTES_MAX:
            log.warning("sip_message_not_understood", error="HeaderTooLong")
            return
        if self._acknowledge_again(text):
            return
        try:
            if not self._is_stray(text, source, server):
                self.handleIncoming(text, source, server, MonoTime())
        except Exception as error:  # noqa: BLE001 - strangers send what they like
            log.warning("sip_message_not_understood", error=type(error).__name__)

    def connection_lost(self, server: Server, peer: Host) -> None:
        """
        Fail what was sent on a connection and had no answer at all: there is nowhere left for one to come from.
        """
        if self._closed:
            return
        for transaction in list(self.tclient.values()):
            if transaction.userv is server and _is_same(transaction.address, peer) and transaction.state is TRYING:
                if transaction.teB is not None:
                    transaction.teB.cancel()
                if transaction.resp_cb is not None:
                    transaction.r408.setSCode(503, "Connection lost")
                self.timerB(transaction)

    def give_up(self, transaction: Any) -> None:
        """
        Stop repeating a request; an answer to what was sent so far is still taken.
        """
        transaction.is_given_up = True
        if transaction.teA is not None:
            transaction.teA.cancel()
            transaction.teA = None

    def close(self) -> None:
        """
        Send nothing more; timers that are still due do nothing.
        """
        self._closed = True
        self.cp_timer.cancel()

    def _acknowledge_again(self, text: str) -> bool:
        """
        Send the ACK of a 2xx again (RFC 3261, 13.2.2.4); tell whether there was one.
        """
        if _SUCCESS.match(text) is None:
            return False
        call_id, sequence, tag = _CALL_ID.search(text), _SEQUENCE.search(text), _TAG.search(text)
        if call_id is None or sequence is None:
            return False
        key = (call_id[1], sequence[1], "" if tag is None else tag[1])
        sent = self._acks.get(key) or self._older_acks.get(key)
        if sent is not None:
            self.transmitData(*sent)
        return sent is not None

    def _is_stray(self, text: str, source: Any, server: Server) -> bool:
        """
        Pass on a 2xx to an INVITE that belongs to no dialog of ours, but to our address; tell whether it was one.
        """
        if _SUCCESS.match(text) is None or _SEQUENCE.search(text) is None:
            return False
        response = SipResponse(text)
        if response.getTId(True, True) in self.tclient or self._is_ours(response):
            return False
        if response.getHFBody("via").getAddr() == server.advertised:  # RFC 3261, 18.1.2
            self.on_stray(response, (str(source.address[0]), int(source.address[1])), server)
        return True

    def _is_ours(self, response: Any) -> bool:
        """
        Tell whether a response belongs to a dialog that lives or did until lately.
        """
        call_id = str(response.getHFBody("call-id"))
        tags = {"from_tag": response.getHFBody("to").getTag(), "to_tag": response.getHFBody("from").getTag()}
        consumers = self.req_consumers.get(call_id, ())
        return any(consumer.cobj.isYours(call_id=call_id, **tags) is not None for consumer in consumers)

    def acknowledge(self, ack: Any, server: Server, address: Any) -> None:
        """
        Send the ACK of a 2xx, now and whenever that comes again.
        """
        data = ack.localStr(server.getSIPaddr(), compact=False)
        self._remember_ack(ack, (server, data, address))
        self.transmitData(server, data, address)

    def _remember_ack(self, ack: Any, sending: tuple[Any, Any, Any]) -> None:
        sequence, tag = str(ack.getHFBody("cseq").getCSeqNum()), ack.getHFBody("to").getTag() or ""
        self._acks[str(ack.getHFBody("call-id")), sequence, tag] = sending

    # What follows overrides sippy's methods by sippy's names.

    def newTransaction(  # noqa: N802
        self, msg: Any, resp_cb: Any = None, laddress: Any = None, userv: Any = None, **options: Any
    ) -> Any:
        """
        Send a request; `transport=UDP` is `udp`.
        """
        if userv is None:
            _, transport = msg.getTarget()
            userv = self.servers.get(str(transport).lower(), self.servers["udp"])
        return super().newTransaction(msg, resp_cb, laddress, userv, **options)

    def incomingResponse(self, msg: Any, t: Any, checksum: Any) -> None:  # noqa: N802
        """
        Take a response; its ACK leaves before the next request, such as an authenticated INVITE or a BYE.
        """
        if msg.getSCode()[0] >= 300:  # noqa: PLR2004 - RFC 3261, 17.1.1.3: its ACK copies the INVITE's target and route
            msg.delHFs("contact")
            msg.delHFs("record-route")
        outer, self._corked = self._corked, []
        try:
            super().incomingResponse(msg, t, checksum)
        except Exception:
            self.tclient.pop(t.tid, None)  # half taken in, it would wait for ever
            raise
        finally:
            corked, self._corked = self._corked, outer
            for sending in sorted(corked, key=lambda parts: not str(parts[1]).startswith("ACK ")):
                self.transmitData(*sending)

    def transmitReq(self, t: Any, msg: Any, address: Any, *rest: Any, **options: Any) -> None:  # noqa: N802
        """
        Send an ACK, on the connection of its INVITE if there is one, and remember it.
        """
        address = t.address if t.userv.reliable else address
        super().transmitReq(t, msg, address, *rest, **options)
        self._remember_ack(msg, (t.userv, msg.localStr(t.userv.getSIPaddr(), compact=t.compact), address))

    def rCachePurge(self) -> None:  # noqa: N802
        """
        Forget what was sent long ago.
        """
        super().rCachePurge()
        self._older_acks, self._acks = self._acks, {}

    def transmitData(self, userv: Any, data: Any, address: Any, cachesum: Any = None, lossemul: int = 0) -> None:  # noqa: N802
        """
        Send, unless an ACK has to leave first.
        """
        if self._closed:
            return
        if self._corked is not None:
            self._corked.append((userv, data, address, cachesum, lossemul))
        else:
            super().transmitData(userv, data, address, cachesum, lossemul)

    def timerA(self, t: Any) -> None:  # noqa: N802
        """
        Repeat a request over UDP; streams do that by themselves.
        """
        if not self._closed and not t.userv.reliable:
            super().timerA(t)

    def timerB(self, t: Any) -> None:  # noqa: N802
        """
        Make up a 408, marked as made up.
        """
        if self._closed:
            return
        if t.resp_cb is not None:
            t.r408.is_local = True
        super().timerB(t)


def _is_same(address: Any, peer: Host) -> bool:
    return (str(address[0]), int(address[1])) == peer


def _answer_stranger(request: Any, _transaction: Any) -> tuple[Any, None, None]:
    """
    Answer a request that belongs to no call of ours: nobody can call us, but we may be asked whether we live.
    """
    if request.getHFBody("to").getTag() is not None:
        return request.genResponse(481, "Call/Transaction Does Not Exist"), None, None
    if request.getMethod() == "OPTIONS":
        return request.genResponse(200, "OK"), None, None
    return request.genResponse(405, "Method Not Allowed"), None, None
