"""
Standard Webhooks: how a receiver can tell that a message is ours (specification, "Signature scheme").
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Self

import attrs

PREFIX: Final = "whsec_"

SECRET_LENGTH: Final = 48
"""Base62 characters, 285 bits; the specification asks for 192 bits at least and 64 bytes at most."""


@attrs.frozen
class Secret:
    """
    A key that an endpoint and outdial share; it shows itself nowhere by accident.

    Attributes:
        text: `whsec_` and the key's bytes in base64.
    """

    text: str = attrs.field(repr=False)

    @classmethod
    def of(cls, token: str) -> Self:
        """
        Make a secret of random ASCII characters.
        """
        return cls(PREFIX + base64.b64encode(token.encode()).decode())

    @property
    def key(self) -> bytes:
        """
        What signs.
        """
        return base64.b64decode(self.text.removeprefix(PREFIX))

    def __str__(self) -> str:
        return f"{PREFIX}***"


def signed_headers(secrets: Sequence[Secret], *, message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """
    Return the three headers that identify and sign a message.

    Args:
        secrets: Each adds a signature; a receiver needs one of them.

        at: When this try begins.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digests = (hmac.new(secret.key, signed, hashlib.sha256).digest() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
