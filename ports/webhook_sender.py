"""
Handing a message to an endpoint of somebody else.
"""

from collections.abc import Mapping
from typing import Protocol

from outdial.ports.errors import OutdialError


class WebhookSendError(OutdialError):
    """
    The endpoint gave no answer; its message is a sentence for the endpoint's owner, which tells nothing of our network.
    """


class WebhookSender(Protocol):
    """
    A way to reach endpoints.
    """

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """
        Post a body to an address that `parse_url` lets pass, once: no redirect, no retry; and return the status.

        It takes 15 s at most, and reads 64 KiB at most.

        Raises:
            WebhookSendError: There was no answer, or the address leads where webhooks are not sent to.
        """
