"""
Values that options take: addresses of databases, `name=value` pairs, and the nested object that variables make.
"""

from collections.abc import Iterable
from typing import Any

import click

from outdial.domain.model.phone_number import NumberKind
from outdial.entrypoints.settings import PREFIX, Settings, SettingsError, read_settings


def database(_ctx: click.Context, _param: click.Parameter, address: str) -> Settings:
    """
    Return settings that name a database and nothing else.

    Raises:
        click.BadParameter: It is no address of one; a password in it is not repeated.
    """
    variable = PREFIX + "DATABASE"
    try:
        return read_settings({variable: address or " "})
    except SettingsError as error:
        raise click.BadParameter(str(error).removeprefix(f"{variable}: ")) from error


def price_caps(_ctx: click.Context, _param: click.Parameter, texts: Iterable[str]) -> dict[str, str]:
    """
    Return prices by kind of number.

    Raises:
        click.BadParameter: One is no pair, or there is no such kind.
    """
    caps = dict(map(_pair, texts))
    unknown = sorted(set(caps) - set(NumberKind))
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is no kind of number; there are {', '.join(NumberKind)}.")
    return caps


def nested(_ctx: click.Context, _param: click.Parameter, texts: Iterable[str]) -> dict[str, Any]:
    """
    Return an object of `name` and `outer.inner` names.

    Raises:
        click.BadParameter: One is no pair, or a name is given twice, or both as a value and as an object.
    """
    tree: dict[str, Any] = {}
    for path, value in map(_pair, texts):
        *outer, last = path.split(".")
        branch = tree
        for name in outer:
            branch = branch.setdefault(name, {})
            if not isinstance(branch, dict):
                raise click.BadParameter(f"{name!r} is given both a value and names inside it.")
        if last in branch:
            raise click.BadParameter(f"{path!r} is given twice.")
        branch[last] = value
    return tree


def phone_numbers(_ctx: click.Context, _param: click.Parameter, texts: Iterable[str]) -> list[dict[str, str]]:
    """
    Return numbers that are written as `NUMBER` or `TYPE:NUMBER`, in the wire's names.
    """
    parts = (text.rpartition(":") for text in texts)
    return [
        {"phone_number": number, "phone_type": kind} if colon else {"phone_number": number}
        for kind, colon, number in parts
    ]


def _pair(text: str) -> tuple[str, str]:
    """
    Split at the first equals sign; the value may be empty and may hold further ones.
    """
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise click.BadParameter(f"{text!r} is not written as name=value.")
    return name, value
