"""
What a decision rested on, kept so that it can be explained long afterwards.
"""

import hashlib

import attrs


@attrs.frozen(kw_only=True)
class Grounds:
    """
    What a decision rested on: the policy and the facts.

    Attributes:
        policy_version: Names the operator's settings and the rules that decided, 12 hexadecimal digits.

        facts: What the rules saw, as canonical JSON: ASCII, names sorted, no white space.

        facts_digest: SHA-256 of `facts`, 32 bytes.
    """

    policy_version: str
    facts: str
    facts_digest: bytes

    @property
    def is_intact(self) -> bool:
        """
        Whether the facts are still those that the digest was made of.
        """
        return digest_of_facts(self.facts) == self.facts_digest


def digest_of_facts(facts: str) -> bytes:
    """
    Return the digest that names facts.
    """
    return hashlib.sha256(facts.encode()).digest()
