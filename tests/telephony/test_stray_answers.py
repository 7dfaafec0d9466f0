"""
An answer to a call of a process that has gone, over a connection that the far end opens for it.
"""

import asyncio
from pathlib import Path

import pytest

from tests.telephony.calls import carrier_for, run
from tests.telephony.ports import free_port

pytestmark = pytest.mark.sip


async def _message(reader: asyncio.StreamReader) -> list[str]:
    async with asyncio.timeout(5):
        return (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")


def test_it_is_acknowledged_and_hung_up_on_its_connection(tmp_path: Path) -> None:
    """
    As RFC 3261, 18.2.2 asks of the far end once the INVITE's connection is gone.
    """

    async def scenario() -> None:
        port = free_port()
        headers = [
            f"Via: SIP/2.0/TCP 127.0.0.1:{port};rport;branch=z9hG4bKgone",
            "From: <sip:+15550001111@127.0.0.1>;tag=ours",
            "To: <sip:+15557654321@127.0.0.1>;tag=theirs",
            "Call-ID: gone@127.0.0.1",
        ]
        contact = "Contact: <sip:phone@127.0.0.1:9;transport=tcp>"
        answer = ["SIP/2.0 200 OK", *headers, "CSeq: 7 INVITE", contact, "Content-Length: 0", "", ""]
        trunk = f"sip:127.0.0.1:{free_port()};transport=tcp"
        async with carrier_for(trunk, bind_port=port, dialogs_folder=tmp_path) as carrier:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write("\r\n".join(answer).encode())
            ack, bye = await _message(reader), await _message(reader)
            copied = [line for line in bye if line.split(":")[0] in {"Via", "From", "To", "Call-ID", "CSeq"}]
            writer.write("\r\n".join(["SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""]).encode())
            async with asyncio.timeout(5):
                while (ended := await carrier.find("gone")) is None:
                    await asyncio.sleep(0.01)
            writer.close()

        assert [
            "ACK sip:phone@127.0.0.1:9;transport=tcp SIP/2.0",
            "BYE sip:phone@127.0.0.1:9;transport=tcp SIP/2.0",
        ] == [
            ack[0],
            bye[0],
        ]
        assert {"CSeq: 7 ACK", *headers[1:]} <= set(ack)
        assert {"CSeq: 8 BYE", *headers[1:]} <= set(bye)
        assert 0 == ended.talk_s

    run(scenario())
