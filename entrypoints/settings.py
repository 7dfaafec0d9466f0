"""
Settings: one frozen class, read from `OUTDIAL_*` variables, every problem reported at once.

Each field below is a setting; its variable is `OUTDIAL_` and the field's name in capitals. `docs/settings.md` lists
them, and a test compares it with this file.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any, Final, Self

import attrs

from outdial.domain.model.capacity import Capacity
from outdial.domain.model.money import parse_amount
from outdial.domain.model.phone_number import NumberCheck
from outdial.domain.model.policy import DAY_S, Policy
from outdial.domain.model.sip_address import parse_host, parse_sip_address

PREFIX: Final = "OUTDIAL_"
MEMORY_DATABASE: Final = "memory:"
SQLITE_PREFIX: Final = "sqlite:///"
POSTGRES_PREFIX: Final = "postgresql://"
CARRIERS: Final = ("simulator", "sip")
ROLES: Final = ("api", "worker", "all")

_SERVER: Final = r"(?:[0-9A-Za-z._%-]*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_SERVERS: Final = rf"{_SERVER}(?:,{_SERVER})*"


class SettingsError(ValueError):
    """
    Some settings are wrong; nothing was started.

    Attributes:
        problems: One sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PostgresUrl(str):
    """
    An address as it may be shown, in answers and logs too: whatever may be its password is left out.

    Attributes:
        whole: The address to connect with.
    """

    __slots__ = ("whole",)
    whole: str

    def __new__(cls, whole: str) -> Self:
        """
        Take an address; one that was taken before stays whole.
        """
        url = super().__new__(cls, _without_password(whole))
        url.whole = whole.whole if isinstance(whole, PostgresUrl) else whole
        return url


def _without_password(text: str) -> str:
    """
    Return a text that may be an address of PostgreSQL or SIP without what may be its password, however wrong it is.
    """
    if text.lower().startswith(("sip:", "sips:")):
        return re.sub(r"^([^:]*:[^:]*:).*@", r"\1***@", text, flags=re.DOTALL)
    if not text.startswith("postgres"):
        return text
    before, at, after = text.rpartition("@")
    scheme = "".join(re.findall(r"^[a-z+]*:/*", before))
    user, colon, _secret = before.removeprefix(scheme).partition(":")
    shown = scheme + user + (":***" if colon else "") + at
    return re.sub(r"(password=)[^&]*", r"\1***", shown + after)


def _setting(
    default: str,
    parse: Callable[[str], object],
    *,
    allowed: str,
    meaning: str,
    secret: bool = False,
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    return attrs.field(
        default=parse(default) if default else "",
        repr=not secret,
        converter=converter,
        metadata={"default": default, "parse": parse, "allowed": allowed, "meaning": meaning},
    )


def _integer(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return parse


def _decimal(most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or float(text) > most:
            raise ValueError(text)
        return float(text)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return parse


def _boolean(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _text(text: str) -> str:
    return text


def _database(text: str) -> str:
    is_file = text.startswith(SQLITE_PREFIX) and len(text) > len(SQLITE_PREFIX)
    is_server = re.fullmatch(rf"{POSTGRES_PREFIX}([^\s/?@]*@)?{_SERVERS}(/[^\s/?@]*)?(\?\S*)?", text)
    if text != MEMORY_DATABASE and not is_file and not (is_server and len(text) > len(POSTGRES_PREFIX)):
        raise ValueError(text)
    return _shown(text)


def _shown(database: str) -> str:
    """
    Keep the password of an address out of sight.
    """
    return PostgresUrl(database) if database.startswith(POSTGRES_PREFIX) else database


def _host(text: str) -> str:
    return text if ":" in text and ip_address(text) else parse_host(text)


def _checked(check: Callable[[str], object]) -> Callable[[str], str]:
    return lambda text: (check(text), text)[1]


def _user_name(text: str) -> str:
    if not text.isprintable() or not set(text).isdisjoint('"\\'):
        raise ValueError(text)
    return text


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    return str(IPv4Address(host)), _integer(0, 65535)(port)


def _reachable(text: str) -> str:
    if IPv4Address(text).is_unspecified or IPv4Address(text).is_multicast:
        raise ValueError(text)
    return text


def _port_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if match is None:
        raise ValueError(text)
    first, last = _integer(1024, 65534)(match[1]), _integer(1024, 65535)(match[2])
    if first >= last:
        raise ValueError(text)
    return first, last


@attrs.frozen(kw_only=True)
class Settings:
    """
    Everything that can be set, with defaults that work on one machine.
    """

    database: str = _setting(
        "sqlite:///outdial.db",
        _database,
        allowed="`sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/DATABASE` or `memory:`",
        meaning="Where accounts, money and calls are kept.",
        converter=_shown,
    )
    host: str = _setting(
        "127.0.0.1", _host, allowed="an address or name of this machine", meaning="Where HTTP is served."
    )
    port: int = _setting("8080", _integer(0, 65535), allowed="0 to 65535", meaning="Its port; 0 for any free one.")
    role: str = _setting(
        "all",
        _one_of(*ROLES),
        allowed="`api`, `worker` or `all`",
        meaning="What `outdial serve` does: take calls, dial them, or both.",
    )
    carrier: str = _setting(
        "simulator", _one_of(*CARRIERS), allowed="`simulator` or `sip`", meaning="Who rings the phones."
    )
    simulator_time_scale: float = _setting(
        "1.0", _decimal(100), allowed="0 to 100", meaning="Real seconds that a simulated second takes."
    )
    simulator_log: str = _setting(
        "", _text, allowed="a file's path", meaning="Gets a line of each order that it rings; empty for none."
    )
    sip_trunk: str = _setting(
        "sip:127.0.0.1:5070;transport=udp",
        _checked(parse_sip_address),
        allowed="a SIP URI with `transport=udp`, `tcp` or `tls`",
        meaning="The trunk that calls go to.",
    )
    sip_bind: tuple[str, int] = _setting(
        "127.0.0.1:5062",
        _address,
        allowed="`ADDRESS:PORT` with an IPv4 address",
        meaning="This machine's address for SIP and RTP, as the trunk reaches it.",
    )
    sip_advertised_host: str = _setting(
        "",
        _reachable,
        allowed="an IPv4 address",
        meaning="The address that the trunk is told for SIP and RTP; empty for the one of `OUTDIAL_SIP_BIND`.",
    )
    sip_caller_id_host: str = _setting(
        "",
        parse_host,
        allowed="an IPv4 address or a host's name",
        meaning="What follows the `@` in caller IDs; empty for the trunk's host.",
    )
    sip_username: str = _setting(
        "",
        _user_name,
        allowed='printable text without `"` and `\\`, with `OUTDIAL_SIP_PASSWORD`',
        meaning="The user name for digest authentication.",
    )
    sip_password: str = _setting(
        "",
        _checked(str.encode),
        allowed="UTF-8 text, with `OUTDIAL_SIP_USERNAME`",
        meaning="The password for digest authentication.",
        secret=True,
    )
    sip_tls_ca: str = _setting(
        "", _text, allowed="a file's path", meaning="Certificates that TLS trusts; empty for the system's."
    )
    rtp_ports: tuple[int, int] = _setting(
        "40000-40999", _port_range, allowed="`FIRST-LAST` within 1024 to 65535", meaning="UDP ports for sound."
    )
    ring_timeout_s: int = _setting("40", _integer(1, 300), allowed="1 to 300", meaning="How long a phone may ring.")
    live_calls_max: int = _setting(
        "100", _integer(1, 10000), allowed="1 to 10000", meaning="Calls dialled at once; further ones stay queued."
    )
    account_calls_max: int = _setting(
        "0", _integer(0, 10000), allowed="0 to 10000", meaning="Calls of one account that live at once; 0 for any."
    )
    caller_id_calls_max: int = _setting(
        "0", _integer(0, 10000), allowed="0 to 10000", meaning="Calls of one caller ID that live at once; 0 for any."
    )
    calls_per_second: float = _setting(
        "0", _decimal(10000), allowed="0 to 10000", meaning="How fast calls are begun on the trunk; 0 for any pace."
    )
    max_call_duration_s: int = _setting(
        "1800", _integer(1, 86400), allowed="1 to 86400", meaning="No call talks longer; the hold pays for this much."
    )
    minimum_hold_minutes: int = _setting(
        "1", _integer(1, 1440), allowed="1 to 1440", meaning="A wallet that can't pay for this much talk is refused."
    )
    idempotency_retention_days: int = _setting(
        "30",
        _integer(1, 3650),
        allowed="1 to 3650",
        meaning="How long a request with an idempotency key is answered again.",
    )
    default_rate_per_minute: int = _setting(
        "0.05", parse_amount, allowed="an amount such as `0.05`", meaning="The price where no rate's prefix fits."
    )
    default_rate_increment_s: int = _setting(
        "60",
        _integer(1, 3600),
        allowed="1 to 3600",
        meaning="Talk time at that price is rounded up to this.",
    )
    default_rate_minimum_s: int = _setting(
        "0",
        _integer(0, 3600),
        allowed="0 to 3600",
        meaning="The least talk time billed at that price.",
    )
    number_check: str = _setting(
        "possible",
        _one_of(*NumberCheck),
        allowed="`possible` or `valid`",
        meaning="How closely numbers are looked at: length and country code, or also an assigned range.",
    )
    speech_command: str = _setting(
        "",
        _text,
        allowed="a command with `{text_file}` and `{wav_file}`",
        meaning="Speaks greetings; empty for flite or espeak-ng, whichever is found.",
    )
    speech_file: str = _setting(
        "", _text, allowed="a file's path", meaning="A WAV file that is played instead of spoken greetings."
    )
    api_key_in_query: bool = _setting(
        "false",
        _boolean,
        allowed="`true` or `false`",
        meaning="Whether `?api_key=` is accepted, for trying things out.",
    )
    log_format: str = _setting(
        "console", _one_of("console", "json"), allowed="`console` or `json`", meaning="How log lines are written."
    )
    log_level: str = _setting(
        "info",
        _one_of("debug", "info", "warning", "error"),
        allowed="`debug`, `info`, `warning` or `error`",
        meaning="The least important lines that are logged.",
    )

    @property
    def policy(self) -> Policy:
        """
        What of it rules read.
        """
        return Policy(
            number_check=NumberCheck(self.number_check),
            max_call_duration_s=self.max_call_duration_s,
            minimum_hold_s=self.minimum_hold_minutes * 60,
            idempotency_retention_s=self.idempotency_retention_days * DAY_S,
            default_rate_micros=self.default_rate_per_minute,
            default_increment_s=self.default_rate_increment_s,
            default_minimum_s=self.default_rate_minimum_s,
        )

    @property
    def capacity(self) -> Capacity:
        """
        The limits that hold over all workers.
        """
        return Capacity(
            account_calls_max=self.account_calls_max or None,
            caller_id_calls_max=self.caller_id_calls_max or None,
            calls_per_second=self.calls_per_second or None,
        )

    @property
    def trunk(self) -> str:
        """
        What calls are paced for: the trunk's address, or the simulator.
        """
        return self.sip_trunk if self.carrier == "sip" else self.carrier


def variable_of(field: "attrs.Attribute[Any]") -> str:
    """
    Return the environment variable of a field of `Settings`.
    """
    return PREFIX + field.name.upper()


def read_settings(variables: Mapping[str, str]) -> Settings:
    """
    Read settings from a mapping such as `os.environ`; a variable that is absent or empty keeps its default.

    Raises:
        SettingsError: Names each variable whose value is not allowed, and what is.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in attrs.fields(Settings):
        text = variables.get(variable_of(field), "")
        if not text:
            continue
        try:
            values[field.name] = field.metadata["parse"](text)
        except ValueError:
            shown = "Its value" if not field.repr else repr(_without_password(text))
            problems.append(f"{variable_of(field)}: {shown} is not allowed; it takes {field.metadata['allowed']}.")
    if values.get("carrier") == "sip":
        problems += _half_credentials(variables)
    if problems:
        raise SettingsError(tuple(problems))
    return Settings(**values)


def _half_credentials(variables: Mapping[str, str]) -> list[str]:
    """
    Return what is wrong with a user name without a password, or a password without a user name.
    """
    pair = [variable_of(field) for field in (attrs.fields(Settings).sip_username, attrs.fields(Settings).sip_password)]
    missing = [name for name in pair if not variables.get(name)]
    if len(missing) != 1:
        return []
    (name,), (other,) = missing, set(pair) - set(missing)
    return [f"{name}: It is not set, but {other} is; a trunk takes both or neither."]
