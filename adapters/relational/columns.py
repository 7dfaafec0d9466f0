"""
Single columns: times are whole microseconds since 1970 in UTC; sets, maps and variables are JSON texts.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import orjson
from cattrs.preconf.orjson import make_converter

from outdial.domain.model.decision import FieldProblem
from outdial.domain.model.phone_number import PhoneNumber

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_JSON: Final = make_converter()


def write_json(value: object) -> str:
    """
    Return a JSON text; sets come out sorted.
    """
    plain = sorted(value) if isinstance(value, frozenset) else value
    return _JSON.dumps(plain).decode()


def read_json(text: str, shape: type[T]) -> T:
    """
    Return what a JSON text holds, in its shape.
    """
    return _JSON.loads(text, shape)


def write_variables(variables: Mapping[str, object]) -> str:
    """
    Return a call's variables as a JSON text, in their own order.
    """
    return orjson.dumps(variables, default=dict).decode()


def read_variables(text: str) -> Mapping[str, object]:
    """
    Return a call's variables.
    """
    variables: dict[str, object] = orjson.loads(text)
    return variables


def write_problems(problems: Iterable[FieldProblem]) -> str:
    """
    Return what is wrong with fields as a JSON text; ASCII carries any name that a client may have made up.
    """
    return json.dumps([(one.field, one.problem) for one in problems])


def read_problems(text: str) -> tuple[FieldProblem, ...]:
    """
    Return what is wrong with fields.
    """
    return tuple(FieldProblem(field=field, problem=problem) for field, problem in json.loads(text))


def write_time(at: datetime) -> int:
    """
    Return an aware time as microseconds since 1970, exactly.
    """
    return (at - _EPOCH) // _MICROSECOND


def write_time_or_none(at: datetime | None) -> int | None:
    """
    Return a time that may not have come yet.
    """
    return None if at is None else write_time(at)


def read_time(micros: int) -> datetime:
    """
    Return microseconds since 1970 as a time in UTC, exactly.
    """
    return _EPOCH + timedelta(microseconds=micros)


def read_time_or_none(micros: int | None) -> datetime | None:
    """
    Return a time that may not have come yet.
    """
    return None if micros is None else read_time(micros)


def read_number(e164: str | None) -> PhoneNumber | None:
    """
    Return a phone number that may be absent.
    """
    return None if e164 is None else PhoneNumber(e164)


def write_number(number: PhoneNumber | None) -> str | None:
    """
    Write a phone number that may be absent.
    """
    return None if number is None else number.e164
