"""
Settings: one frozen class, read from `OUTDIAL_*` variables, every problem reported at once.

Each field below is a setting; its variable is `OUTDIAL_` and the field's name in capitals. `docs/settings.md` lists
them, and a test compares it with this file.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from outdial.domain.model.capacity import Capacity
from outdial.domain.model.money import parse_amount
from outdial.domain.model.patience import Patience
from outdial.domain.model.phone_number import NumberCheck
from outdial.domain.model.policy import DAY_S, Policy
from outdial.domain.model.sip_address import parse_host, parse_sip_address
from outdial.entrypoints.setting_texts import (
    checked,
    decimal,
    integer,
    one_of,
    read_address,
    read_boolean,
    read_collector,
    read_database,
    read_host,
    read_port_range,
    read_reachable,
    read_redis,
    read_text,
    read_token,
    read_user_name,
    shown_database,
    without_password,
)

PREFIX: Final = "OUTDIAL_"
CARRIERS: Final = ("simulator", "sip")
ROLES: Final = ("api", "worker", "all")


class SettingsError(ValueError):
    """
    Some settings are wrong; nothing was started.

    Attributes:
        problems: One sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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


@attrs.frozen(kw_only=True)
class Settings:
    """
    Everything that can be set, with defaults that work on one machine.
    """

    database: str = _setting(
        "sqlite:///outdial.db",
        read_database,
        allowed="`sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/DATABASE` or `memory:`",
        meaning="Where accounts, money and calls are kept.",
        converter=shown_database,
    )
    host: str = _setting(
        "127.0.0.1", read_host, allowed="an address or name of this machine", meaning="Where HTTP is served."
    )
    port: int = _setting("8080", integer(0, 65535), allowed="0 to 65535", meaning="Its port; 0 for any free one.")
    role: str = _setting(
        "all",
        one_of(*ROLES),
        allowed="`api`, `worker` or `all`",
        meaning="What `outdial serve` does: take calls, dial them, or both.",
    )
    carrier: str = _setting(
        "simulator", one_of(*CARRIERS), allowed="`simulator` or `sip`", meaning="Who rings the phones."
    )
    simulator_time_scale: float = _setting(
        "1.0", decimal(100), allowed="0 to 100", meaning="Real seconds that a simulated second takes."
    )
    simulator_log: str = _setting(
        "", read_text, allowed="a file's path", meaning="Gets a line of each order that it rings; empty for none."
    )
    sip_trunk: str = _setting(
        "sip:127.0.0.1:5070;transport=udp",
        checked(parse_sip_address),
        allowed="a SIP URI with `transport=udp`, `tcp` or `tls`",
        meaning="The trunk that calls go to.",
    )
    sip_bind: tuple[str, int] = _setting(
        "127.0.0.1:5062",
        read_address,
        allowed="`ADDRESS:PORT` with an IPv4 address",
        meaning="This machine's address for SIP and RTP, as the trunk reaches it.",
    )
    sip_advertised_host: str = _setting(
        "",
        read_reachable,
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
        read_user_name,
        allowed='printable text without `"` and `\\`, with `OUTDIAL_SIP_PASSWORD`',
        meaning="The user name for digest authentication.",
    )
    sip_password: str = _setting(
        "",
        checked(str.encode),
        allowed="UTF-8 text, with `OUTDIAL_SIP_USERNAME`",
        meaning="The password for digest authentication.",
        secret=True,
    )
    sip_tls_ca: str = _setting(
        "", read_text, allowed="a file's path", meaning="Certificates that TLS trusts; empty for the system's."
    )
    sip_dialogs: str = _setting(
        "",
        read_text,
        allowed="a folder's path",
        meaning="Remembers calls that talk, for a restart to hang up; empty for one beside a SQLite database, "
        "else for `~/.local/state/outdial/dialogs-` and a code of the database.",
    )
    rtp_ports: tuple[int, int] = _setting(
        "40000-40999", read_port_range, allowed="`FIRST-LAST` within 1024 to 65535", meaning="UDP ports for sound."
    )
    ring_timeout_s: int = _setting("40", integer(1, 300), allowed="1 to 300", meaning="How long a phone may ring.")
    dial_attempts: int = _setting(
        "3", integer(1, 10), allowed="1 to 10", meaning="How often a call is dialled that the network surely refuses."
    )
    queue_timeout_s: int = _setting(
        "86400", integer(1, 2592000), allowed="1 to 2592000", meaning="A call that waited for this long expires."
    )
    evidence_lag_s: int = _setting(
        "60",
        integer(0, 86400),
        allowed="0 to 86400",
        meaning="How late the network may tell of a call whose outcome is unknown; its hold is kept until then.",
    )
    live_calls_max: int = _setting(
        "100", integer(1, 10000), allowed="1 to 10000", meaning="Calls dialled at once; further ones stay queued."
    )
    account_calls_max: int = _setting(
        "0", integer(0, 10000), allowed="0 to 10000", meaning="Calls of one account that live at once; 0 for any."
    )
    caller_id_calls_max: int = _setting(
        "0", integer(0, 10000), allowed="0 to 10000", meaning="Calls of one caller ID that live at once; 0 for any."
    )
    calls_per_second: float = _setting(
        "0", decimal(10000), allowed="0 to 10000", meaning="How fast calls are begun on the trunk; 0 for any pace."
    )
    drain_s: int = _setting(
        "0",
        integer(0, 86400),
        allowed="0 to 86400",
        meaning="How long live calls may go on when the process is to end; 0 to hang up at once.",
    )
    webhook_sends_max: int = _setting(
        "64",
        integer(1, 1000),
        allowed="1 to 1000",
        meaning="Webhook messages that a worker sends at once.",
    )
    webhook_endpoint_sends_max: int = _setting(
        "8",
        integer(1, 100),
        allowed="1 to 100",
        meaning="Messages sent to one webhook at once, by all workers together.",
    )
    webhook_allow_http_loopback: bool = _setting(
        "off",
        read_boolean,
        allowed="`on` or `off`",
        meaning="Whether webhooks may be `http://` to this machine, for trying things out.",
    )
    max_call_duration_s: int = _setting(
        "1800",
        integer(1, 86400),
        allowed="1 to 86400",
        meaning="No call talks longer; the hold pays for this much.",
    )
    minimum_hold_minutes: int = _setting(
        "1",
        integer(1, 1440),
        allowed="1 to 1440",
        meaning="A wallet that can't pay for this much talk is refused.",
    )
    idempotency_retention_days: int = _setting(
        "30",
        integer(1, 3650),
        allowed="1 to 3650",
        meaning="How long a request with an idempotency key is answered again.",
    )
    refusal_retention_days: int = _setting(
        "30", integer(1, 3650), allowed="1 to 3650", meaning="How long it is kept why a call was refused."
    )
    default_rate_per_minute: int = _setting(
        "0.05", parse_amount, allowed="an amount such as `0.05`", meaning="The price where no rate's prefix fits."
    )
    default_rate_increment_s: int = _setting(
        "60",
        integer(1, 3600),
        allowed="1 to 3600",
        meaning="Talk time at that price is rounded up to this.",
    )
    default_rate_minimum_s: int = _setting(
        "0",
        integer(0, 3600),
        allowed="0 to 3600",
        meaning="The least talk time billed at that price.",
    )
    number_check: str = _setting(
        "possible",
        one_of(*NumberCheck),
        allowed="`possible` or `valid`",
        meaning="How closely numbers are looked at: length and country code, or also an assigned range.",
    )
    speech_command: str = _setting(
        "",
        read_text,
        allowed="a command with `{text_file}` and `{wav_file}`",
        meaning="Speaks greetings; empty for flite or espeak-ng, whichever is found.",
    )
    speech_file: str = _setting(
        "", read_text, allowed="a file's path", meaning="A WAV file that is played instead of spoken greetings."
    )
    apology: str = _setting(
        "This call was placed by mistake. We are sorry. Goodbye.",
        read_text,
        allowed="a sentence",
        meaning="Said to whoever answers a call that must not go on.",
    )
    rate_limit_storage: str = _setting(
        "",
        read_redis,
        allowed="`redis://USER:PASSWORD@HOST:PORT/NUMBER` or `rediss://...`",
        meaning="The Redis in which several processes count requests together; empty to count in each by itself.",
        secret=True,
    )
    api_key_in_query: bool = _setting(
        "off",
        read_boolean,
        allowed="`on` or `off`",
        meaning="Whether `?api_key=` is accepted, for trying things out.",
    )
    metrics: str = _setting(
        "on", one_of("on", "off"), allowed="`on` or `off`", meaning="Whether `/metrics` is served, for Prometheus."
    )
    metrics_token: str = _setting(
        "",
        read_token,
        allowed="visible ASCII characters",
        meaning="What `/metrics` asks for as `Authorization: Bearer`; empty to serve anybody.",
        secret=True,
    )
    mcp: str = _setting(
        "off",
        one_of("on", "off"),
        allowed="`on` or `off`",
        meaning="Whether the Model Context Protocol is served at `/mcp`; `on` needs the extra `mcp`.",
    )
    traces: str = _setting(
        "",
        read_collector,
        allowed="`http://HOST:PORT/PATH` or `https://...`",
        meaning="The OpenTelemetry collector that traces are sent to, in OTLP over HTTP; empty for none.",
    )
    log_format: str = _setting(
        "console", one_of("console", "json"), allowed="`console` or `json`", meaning="How log lines are written."
    )
    log_level: str = _setting(
        "info",
        one_of("debug", "info", "warning", "error"),
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
            queue_timeout_s=self.queue_timeout_s,
            minimum_hold_s=self.minimum_hold_minutes * 60,
            idempotency_retention_s=self.idempotency_retention_days * DAY_S,
            default_rate_micros=self.default_rate_per_minute,
            default_increment_s=self.default_rate_increment_s,
            default_minimum_s=self.default_rate_minimum_s,
        )

    @property
    def patience(self) -> Patience:
        """
        How long is waited for what.
        """
        return Patience(
            ring_timeout_s=self.ring_timeout_s, evidence_lag_s=self.evidence_lag_s, attempts_max=self.dial_attempts
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
            shown = "Its value" if not field.repr else repr(without_password(text))
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
