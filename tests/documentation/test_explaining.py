"""
What `docs/explaining.md` shows is what is answered.
"""

import json

from outdial.domain.rules.facts_used import grounds_of
from outdial.domain.rules.ladder import RULES
from outdial.entrypoints.wire.decisions import CostBody, PreflightBody, VerdictBody
from tests import builders
from tests.documentation.examples import ROOT, blocks

TEXT = (ROOT / "docs/explaining.md").read_text()


def test_the_preflights_example_has_the_answers_fields() -> None:
    """
    No field too many, and each that always stands there.
    """
    (shown,) = (json.loads(block) for block in blocks(TEXT, "json"))

    assert PreflightBody.__required_keys__ <= shown.keys() <= PreflightBody.__annotations__.keys()
    assert CostBody.__required_keys__ == shown["cost"].keys()
    names = [rule.__name__ for rule in RULES]
    places = [names.index(verdict["rule"]) for verdict in shown["rules"]]
    assert sorted(places) == places
    for verdict in shown["rules"]:
        assert VerdictBody.__required_keys__ <= verdict.keys() <= VerdictBody.__annotations__.keys()


def test_a_digest_can_be_checked_as_it_is_told() -> None:
    """
    The example's function finds the digest of facts that were decoded from an answer.
    """
    (example,) = blocks(TEXT, "python")
    found: dict[str, object] = {}
    exec(example, found)  # noqa: S102 - our own document

    grounds = grounds_of(builders.request(), builders.facts(), policy_version="0123456789ab")

    digest = found["digest"]
    assert callable(digest)
    assert grounds.facts_digest.hex() == digest(json.loads(grounds.facts))
