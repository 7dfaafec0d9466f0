"""
What belongs to another account is answered like what does not exist: every operation of the document, every id in it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import httpx2
import jsonschema
import pytest

from outdial.adapters.memory.storage_calls import MemoryCalls
from outdial.entrypoints.http.reference import reference
from tests.http.api import Api
from tests.openapi import strangers
from tests.openapi.parties import ASKED_ABOUT, ASKING, CANARY, OWNED, Party, furnish_parties, unknown

DOCUMENT: Final = reference(key_in_query=False)
PERSONAL: Final = {"x-request-id", "ratelimit", "content-length"}
"""Headers that differ from answer to answer, or with the id that is repeated."""


@attrs.frozen(kw_only=True)
class Described:
    """
    An operation, as the document describes it.
    """

    method: str
    path: str
    written: Mapping[str, Any]

    @property
    def name(self) -> str:
        """
        Its name.
        """
        name: str = self.written["operationId"]
        return name

    def names(self, place: str) -> list[str]:
        """
        Return the names of its parameters in a place: `path`, `query` or `body`.
        """
        if place == "body":
            return list(self.body)
        return [one["name"] for one in self.written.get("parameters", []) if one["in"] == place]

    @property
    def body(self) -> dict[str, Any]:
        """
        The body that it shows.
        """
        content = self.written.get("requestBody", {}).get("content", {}).get("application/json", {})
        return dict(content.get("example", {}))

    @property
    def answers_json(self) -> bool:
        """
        Whether it answers at once, not event by event.
        """
        return all(
            "text/event-stream" not in answer.get("content", {}) for answer in self.written["responses"].values()
        )


OPERATIONS: Final = [
    Described(method=method.upper(), path=path, written=written)
    for path, methods in DOCUMENT["paths"].items()
    for method, written in methods.items()
    if written["security"]
]


def identifying() -> Iterator[tuple[Described, str, str]]:
    """
    Yield each place of each operation where an id stands.
    """
    for operation in OPERATIONS:
        for place in ("path", "query", "body"):
            for name in operation.names(place):
                if place == "path" or name in OWNED or name.endswith(("_id", "_ids")):
                    yield operation, place, name


@attrs.frozen(kw_only=True)
class Told:
    """
    All that an answer tells, but for what it repeats of the question.
    """

    status: int
    text: str
    headers: list[tuple[str, str]]

    @classmethod
    def by(cls, answer: httpx2.Response, identifier: str) -> "Told":
        """
        Return what the answer to an id tells.
        """
        text = re.sub("[0-9a-f]{64}", "a digest", answer.text.replace(identifier, "an id"))
        headers = [pair for pair in answer.headers.items() if pair[0] not in PERSONAL]
        return cls(status=answer.status_code, text=text, headers=headers)


def _written(value: Any) -> Any:
    """
    Return a value as a body holds it: numbers are no texts.
    """
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@attrs.frozen(kw_only=True)
class World:
    """
    The interface, and every id of both accounts by its name.
    """

    api: Api
    ids: Mapping[Party, Mapping[str, tuple[str, ...]]]

    def ask(
        self, operation: Described, party: Party, *, place: str = "", name: str = "", value: str = ""
    ) -> httpx2.Response:
        """
        Ask for an operation by one's own ids, but for one value in a place.
        """
        own = {known: ids[0] for known, ids in self.ids[party].items()}
        given = {place: {name: value}}
        path = re.sub(r"\{(\w+)\}", lambda match: given.get("path", {}).get(match[1], own[match[1]]), operation.path)
        body = {field: _written(own.get(field, shown)) for field, shown in operation.body.items()}
        for field, text in given.get("body", {}).items():
            body[field] = _written(text)
        return self.api.ask(
            operation.method,
            path,
            headers={"Authorization": f"Bearer {party.key}"},
            params=given.get("query", {}),
            **({"json": body} if operation.body else {}),
        )

    def told(self, operation: Described, place: str, name: str, identifier: str) -> tuple["Told", "Told"]:
        """
        Return what one account is told of an id that nothing has, and of one that the other has.
        """
        of_nobodys, of_others = (
            Told.by(self.ask(operation, ASKING, place=place, name=name, value=value), value)
            for value in (unknown(identifier), identifier)
        )
        return of_nobodys, of_others

    def seen_by(self, party: Party) -> dict[str, Any]:
        """
        Return all that an account can read of its own.
        """
        answers = {
            operation.name: self.ask(operation, party)
            for operation in OPERATIONS
            if operation.method == "GET" and operation.answers_json
        }
        assert dict.fromkeys(answers, 200) == {name: answer.status_code for name, answer in answers.items()}
        return {name: answer.json() for name, answer in answers.items()}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """
    Two accounts that have one of everything.
    """
    api = Api()
    api.run(api.storage.transact(furnish_parties))
    yield World(
        api=api,
        ids={party: {name: made(api, party) for name, made in OWNED.items()} for party in (ASKING, ASKED_ABOUT)},
    )
    api.close()


CASES: Final = [
    pytest.param(operation, place, name, id=f"{operation.name} {place} {name}")
    for operation, place, name in identifying()
]


def test_every_name_of_something_owned_is_known() -> None:
    """
    A new operation with an id of a new kind needs a way to make one for both accounts, in `parties.OWNED`.
    """
    assert {name for _operation, _place, name in identifying()} <= set(OWNED)


@pytest.mark.parametrize(("operation", "place", "name"), CASES)
def test_ids_of_others_are_like_unknown_ids(world: World, operation: Described, place: str, name: str) -> None:
    """
    Status, body and headers are the same, whichever form of the id is given, and the other account is as it was.
    """
    before = world.seen_by(ASKED_ABOUT)

    told = [world.told(operation, place, name, identifier) for identifier in world.ids[ASKED_ABOUT][name]]

    for of_nobodys, of_others in told:
        assert of_nobodys == of_others
        assert place != "path" or "404" not in operation.written["responses"] or of_others.status == 404
    assert before == world.seen_by(ASKED_ABOUT)


def test_storage_that_forgets_whose_a_call_is_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the account in its look-up, the answers differ.
    """
    monkeypatch.setattr(MemoryCalls, "call", lambda calls, _account_id, call: calls.call_of_any_account(call))
    show = next(operation for operation in OPERATIONS if operation.name == "show_call")

    of_nobodys, of_others = world.told(show, "path", "call_id", world.ids[ASKED_ABOUT]["call_id"][0])

    assert of_nobodys != of_others


def test_ones_own_is_shown_as_documented(world: World) -> None:
    """
    The answers by one's own ids, which are not empty, fit the schemas too; strangers seldom get that far.
    """
    validators = {
        operation.name: jsonschema.Draft202012Validator(
            {
                **described["responses"]["200"]["content"]["application/json"]["schema"],
                "components": strangers.DOCUMENT["components"],
            }
        )
        for operation in OPERATIONS
        if operation.method == "GET" and operation.answers_json
        for described in [strangers.DOCUMENT["paths"][operation.path]["get"]]
    }

    for name, answer in world.seen_by(ASKED_ABOUT).items():
        validators[name].validate(answer)


def test_lists_hold_nothing_of_others(world: World) -> None:
    """
    What the other account reads of its own has the canary in it; what this one reads has not.
    """
    assert CANARY in str(world.seen_by(ASKED_ABOUT))
    assert CANARY not in str(world.seen_by(ASKING))
