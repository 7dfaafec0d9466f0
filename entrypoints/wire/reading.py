"""
Reading what clients send: pydantic models that refuse what they don't know and say in a sentence what is wrong.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Final, TypeVar

import attrs
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import PROBLEMS_MAX, is_clean

M = TypeVar("M", bound=BaseModel)

FIELD_LENGTH_MAX: Final = 255
"""How much of the name of a field that does not exist is repeated."""

EXACT_MAX: Final = 2.0**53
"""Below it, a float is one integer and no other (RFC 8259, 6)."""

PROBLEM: Final = "problem"
"""The kind of a problem whose message is a sentence for clients."""

_SENTENCES: Final = {"missing": "It is required.", "extra_forbidden": "There is no such field."}
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,20}")


class RequestBody(BaseModel):
    """
    A JSON object that a client sends: each field of exactly its type, and no others.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, values: object) -> object:
        """
        Take 1.0 for the integer that it is, to JSON and its schemas (RFC 8259, 6), as far as floats are exact.
        """
        if not isinstance(values, Mapping):
            return values
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_MAX else value
            for name, value in values.items()
        }


class RequestQuery(BaseModel):
    """
    What a client asks for behind the `?` of an address: each name once, and no others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@attrs.frozen
class Says:
    """
    The sentence that clients are told when a value does not fit.

    Attributes:
        sentence: Begins with a capital and ends with a full stop.
    """

    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """
        Let pydantic say the sentence instead of its own.
        """
        return core_schema.custom_error_schema(
            handler(source), custom_error_type=PROBLEM, custom_error_message=self.sentence
        )


def whole_number(value: object) -> object:
    """
    Let only plain digits through as a number, of all that Python would take for one.
    """
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        raise ValueError(value)
    return value


def clean(text: str) -> str:
    """
    Let only a text through that can be stored and sent anywhere.
    """
    if not is_clean(text):
        raise ValueError(text)
    return text


RowId = Annotated[int, Field(ge=-ID_MAX, le=ID_MAX)]
"""A row number in a JSON body."""

QueryNumber = Annotated[int, BeforeValidator(whole_number)]
"""A whole number in a query."""


def read(model: type[M], values: Mapping[str, object]) -> M | Refused:
    """
    Read a decoded JSON object, or values given in Python; problems come in the order of the model's fields.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        return _refused(error)


def read_query(model: type[M], pairs: Sequence[tuple[str, str]]) -> M | Refused:
    """
    Read the names and values of a query.
    """
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = (name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        problems = (FieldProblem(field=name[:FIELD_LENGTH_MAX], problem="It is given twice.") for name in twice)
        return Refused(reason=Reason.VALIDATION_ERROR, problems=tuple(islice(problems, PROBLEMS_MAX)))
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        return _refused(error)


def problem(*sentences: str) -> PydanticCustomError:
    """
    Return what a validator raises to have a client told these sentences.
    """
    return PydanticCustomError(PROBLEM, "{first}", {"first": sentences[0], "sentences": list(sentences)})


def _refused(error: ValidationError) -> Refused:
    return Refused(reason=Reason.VALIDATION_ERROR, problems=tuple(islice(_problems(error), PROBLEMS_MAX)))


def _problems(error: ValidationError) -> Iterator[FieldProblem]:
    for found in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in found["loc"])[:FIELD_LENGTH_MAX]
        said = [found["msg"]] if found["type"] == PROBLEM else [_SENTENCES.get(found["type"], f"{found['msg']}.")]
        for sentence in found.get("ctx", {}).get("sentences", said):
            yield FieldProblem(field=field, problem=sentence)
