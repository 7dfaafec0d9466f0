"""
Settings: each variable is read, all mistakes are told at once, secrets are not shown.
"""

from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.patience import Patience
from outdial.domain.model.phone_number import NumberCheck
from outdial.domain.model.policy import Policy
from outdial.entrypoints import composition
from outdial.entrypoints.settings import Settings, SettingsError, read_settings, variable_of
from outdial.ports.errors import CarrierUnavailableError, SpeechError

FIELDS: Final = {field.name: field for field in attrs.fields(Settings)}

READ: Final[dict[str, dict[str, Any]]] = {
    "database": {
        "memory:": "memory:",
        "sqlite:///a.db": "sqlite:///a.db",
        "sqlite:////srv/a.db": "sqlite:////srv/a.db",
    },
    "host": {"0.0.0.0": "0.0.0.0", "::1": "::1", "localhost": "localhost"},  # noqa: S104 - nothing listens
    "port": {"0": 0, "80": 80, "65535": 65535},
    "role": {"api": "api", "worker": "worker", "all": "all"},
    "carrier": {"simulator": "simulator", "sip": "sip"},
    "simulator_time_scale": {"0": 0.0, "0.5": 0.5, "100": 100.0},
    "simulator_log": {"/srv/orders.jsonl": "/srv/orders.jsonl"},
    "sip_trunk": {"sip:trunk.example;transport=tls": "sip:trunk.example;transport=tls"},
    "sip_bind": {"192.0.2.1:5060": ("192.0.2.1", 5060), "0.0.0.0:0": ("0.0.0.0", 0)},  # noqa: S104 - nothing listens
    "sip_advertised_host": {"203.0.113.7": "203.0.113.7"},
    "sip_caller_id_host": {"192.0.2.7": "192.0.2.7", "voice.example.com": "voice.example.com"},
    "sip_username": {"outdial": "outdial", "Zoë at work": "Zoë at work"},
    "sip_password": {"correct horse": "correct horse", '"\\': '"\\'},
    "sip_tls_ca": {"/etc/ca.pem": "/etc/ca.pem"},
    "sip_dialogs": {"/srv/dialogs": "/srv/dialogs"},
    "rtp_ports": {"1024-65535": (1024, 65535), "40000-40001": (40000, 40001)},
    "ring_timeout_s": {"1": 1, "300": 300},
    "dial_attempts": {"1": 1, "10": 10},
    "queue_timeout_s": {"1": 1, "2592000": 2592000},
    "evidence_lag_s": {"0": 0, "86400": 86400},
    "live_calls_max": {"1": 1, "10000": 10000},
    "webhook_sends_max": {"1": 1, "1000": 1000},
    "webhook_endpoint_sends_max": {"1": 1, "100": 100},
    "webhook_allow_http_loopback": {"on": True, "off": False},
    "account_calls_max": {"0": 0, "10000": 10000},
    "caller_id_calls_max": {"0": 0, "1": 1},
    "calls_per_second": {"0": 0.0, "0.5": 0.5, "10000": 10000.0},
    "drain_s": {"0": 0, "86400": 86400},
    "max_call_duration_s": {"1": 1, "86400": 86400},
    "minimum_hold_minutes": {"1": 1, "1440": 1440},
    "idempotency_retention_days": {"1": 1, "3650": 3650},
    "refusal_retention_days": {"1": 1, "3650": 3650},
    "default_rate_per_minute": {"0": 0, "0.05": 50_000, "1.234567": 1_234_567, "999999999999": 999_999_999_999_000_000},
    "default_rate_increment_s": {"1": 1, "3600": 3600},
    "default_rate_minimum_s": {"0": 0, "3600": 3600},
    "number_check": {"possible": "possible", "valid": "valid"},
    "speech_command": {"say {text_file} {wav_file}": "say {text_file} {wav_file}"},
    "speech_file": {"/srv/hello.wav": "/srv/hello.wav"},
    "apology": {"We are sorry.": "We are sorry."},
    "rate_limit_storage": {
        "redis://127.0.0.1": "redis://127.0.0.1",
        "rediss://outdial:correct@redis.example:6380/2": "rediss://outdial:correct@redis.example:6380/2",
    },
    "api_key_in_query": {"on": True, "off": False, "true": True, "false": False},
    "metrics": {"on": "on", "off": "off"},
    "metrics_token": {"correct-horse": "correct-horse", "a" * 255: "a" * 255},
    "mcp": {"on": "on", "off": "off"},
    "traces": {
        "http://127.0.0.1:4318/v1/traces": "http://127.0.0.1:4318/v1/traces",
        "https://collector.example": "https://collector.example",
    },
    "log_format": {"console": "console", "json": "json"},
    "log_level": {"debug": "debug", "error": "error"},
}
"""For each setting texts that are read, with their values."""

REFUSED: Final[dict[str, tuple[str, ...]]] = {
    "database": ("outdial.db", "sqlite:///", "sqlite://a.db", "postgres://db", "memory"),
    "port": ("-1", "65536", "http", "80.0", "8 0", "\N{ARABIC-INDIC DIGIT EIGHT}0", "1" * 5000),
    "role": ("both", "API"),
    "carrier": ("SIP", "twilio"),
    "simulator_time_scale": ("-1", "101", "1e1", "nan", "inf", "1."),
    "host": ("127.0.0.1:8080", "http://localhost", "[::1]", "::x", "a b", "256.0.0.1", "*"),
    "sip_trunk": ("trunk.example", "http://trunk", "sip:", "sip:[::1]", "sip:t;transport=ws", "sip:t:0", " sip:t"),
    "sip_advertised_host": ("voice.example.com", "::1", "0.0.0.0", "224.0.0.1", "203.0.113.7:5060"),  # noqa: S104
    "sip_caller_id_host": ("voice example", "a@b", "::1", "voice.example.com:5060", "<x>"),
    "sip_username": ('a"b', "a\\b", "a\r\nVia: x", "a\0", "\udc80"),
    "sip_password": ("\udc80",),
    "sip_bind": (
        *("127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:5060", ":5060", "a b:5060"),
        *("[::1]:5060", "localhost:5060", "127.1:5060"),
    ),
    "rtp_ports": ("40000", "40000-40000", "40001-40000", "1023-2000", "40000-65536", "-", "a-b"),
    "ring_timeout_s": ("0", "301", "40s"),
    "dial_attempts": ("0", "11"),
    "queue_timeout_s": ("0", "2592001", "1d"),
    "evidence_lag_s": ("-1", "86401"),
    "live_calls_max": ("0", "10001"),
    "webhook_sends_max": ("0", "1001"),
    "webhook_endpoint_sends_max": ("0", "101"),
    "webhook_allow_http_loopback": ("yes", "1"),
    "account_calls_max": ("-1", "10001"),
    "caller_id_calls_max": ("-1", "1.5"),
    "calls_per_second": ("-1", "10001"),
    "drain_s": ("-1", "86401", "0.5"),
    "max_call_duration_s": ("0", "86401"),
    "minimum_hold_minutes": ("0", "1441"),
    "idempotency_retention_days": ("0", "3651"),
    "refusal_retention_days": ("0", "3651"),
    "default_rate_per_minute": ("-0.05", "0,05", "$1", "0.0000001", "1e3", "nan"),
    "default_rate_increment_s": ("0", "3601"),
    "default_rate_minimum_s": ("-1", "3601"),
    "number_check": ("loose", "VALID"),
    "rate_limit_storage": ("127.0.0.1:6379", "redis:///x", "redis://a b", "memcached://127.0.0.1", "redis://a/0/1"),
    "api_key_in_query": ("yes", "1", "True"),
    "metrics": ("true", "yes"),
    "metrics_token": ("a b", "ä", "a" * 256),
    "mcp": ("true", "ON"),
    "traces": ("127.0.0.1:4318", "grpc://collector:4317", "http://user:secret@collector/", "http://a b"),
    "log_format": ("xml",),
    "log_level": ("verbose", "INFO"),
}
"""For each setting texts that are not allowed; those that are missing take any text."""


def _variable(name: str) -> str:
    return f"OUTDIAL_{name.upper()}"


def test_tables_of_this_test_name_every_setting() -> None:
    """
    A setting that is added is tested, too.
    """
    assert set(FIELDS) == set(READ)
    assert set(REFUSED) <= set(FIELDS)


@pytest.mark.parametrize(
    ("name", "text", "value"), [(name, text, value) for name, read in READ.items() for text, value in read.items()]
)
def test_variable_is_read(name: str, text: str, value: Any) -> None:
    """
    Each setting is read from `OUTDIAL_` and its name in capitals, and no other changes.
    """
    settings = read_settings({_variable(name): text})

    assert attrs.evolve(Settings(), **{name: value}) == settings


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_value_that_is_not_allowed_is_told_with_what_is(name: str, text: str) -> None:
    """
    The problem names the variable and what it takes.
    """
    with pytest.raises(SettingsError) as caught:
        read_settings({_variable(name): text})

    (problem,) = caught.value.problems
    assert problem.startswith(f"{_variable(name)}: ")
    assert problem.endswith(f"it takes {FIELDS[name].metadata['allowed']}.")


def test_all_problems_are_told_at_once() -> None:
    """
    Whoever starts outdial with many mistakes hears of all of them the first time.
    """
    with pytest.raises(SettingsError) as caught:
        read_settings({_variable(name): texts[0] for name, texts in REFUSED.items()})

    assert [_variable(name) for name in FIELDS if name in REFUSED] == [
        problem.partition(":")[0] for problem in caught.value.problems
    ]
    assert "\n".join(caught.value.problems) == str(caught.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [("OUTDIAL_SIP_USERNAME", "OUTDIAL_SIP_PASSWORD"), ("OUTDIAL_SIP_PASSWORD", "OUTDIAL_SIP_USERNAME")],
)
def test_half_of_the_credentials_is_told_with_the_other_problems(given: str, missing: str) -> None:
    """
    A trunk takes a user name and a password or neither; which one is not set is said, and not what the other one is.
    """
    with pytest.raises(SettingsError) as caught:
        read_settings({"OUTDIAL_CARRIER": "sip", given: "canary", "OUTDIAL_SIP_TRUNK": "trunk"})

    trunk, credentials = caught.value.problems
    assert trunk.startswith("OUTDIAL_SIP_TRUNK: 'trunk' is not allowed; it takes a SIP URI")
    assert f"{missing}: It is not set, but {given} is; a trunk takes both or neither." == credentials


def test_both_credentials_are_taken() -> None:
    """
    So are none.
    """
    both = {"OUTDIAL_SIP_USERNAME": "me", "OUTDIAL_SIP_PASSWORD": "secret"}

    assert Settings(carrier="sip", sip_username="me", sip_password="secret") == read_settings(
        {"OUTDIAL_CARRIER": "sip", **both}
    )
    assert Settings(carrier="sip") == read_settings({"OUTDIAL_CARRIER": "sip"})


@pytest.mark.parametrize("scheme", ["sip", "SIPS"])
def test_password_in_a_trunks_address_is_not_shown(scheme: str) -> None:
    """
    It is refused there, and not repeated.
    """
    with pytest.raises(SettingsError) as caught:
        read_settings({"OUTDIAL_SIP_TRUNK": f"{scheme}:me:canary-p@ss:word@trunk.example"})

    assert f"{scheme}:me:***@trunk.example" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "ss:word" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"sip_trunk": "trunk"}, "OUTDIAL_SIP_TRUNK"),
        ({"sip_username": "me"}, "OUTDIAL_SIP_"),
        ({"rtp_ports": (2, 1)}, "OUTDIAL_RTP_PORTS"),
    ],
)
def test_settings_made_in_a_program_are_told_by_their_variables(changes: dict[str, Any], variable: str) -> None:
    """
    What was not read from text is looked at when the carrier is made.
    """
    settings = Settings(carrier="sip", **changes)

    with pytest.raises(CarrierUnavailableError, match=variable):
        composition.carrier(settings)


def test_voice_that_can_not_be_run_is_told_by_its_variable() -> None:
    """
    The sentence begins with what to change.
    """
    with pytest.raises(SpeechError, match=r"^OUTDIAL_SPEECH_COMMAND: "):
        composition.speech(Settings(speech_command="say"))


def test_absent_and_empty_variables_keep_their_defaults() -> None:
    """
    An empty variable, as in a compose file, is as good as none; variables of others are not looked at.
    """
    assert Settings() == read_settings({"PATH": "/bin", "PORT": "1", **{_variable(name): "" for name in FIELDS}})


def test_defaults_are_allowed_values() -> None:
    """
    Every default could have been read, but for paths and names that may be empty.
    """
    assert ("sqlite:///outdial.db", "127.0.0.1", 8080, "simulator") == (
        Settings().database,
        Settings().host,
        Settings().port,
        Settings().carrier,
    )
    assert Policy() == Settings().policy
    assert not Settings().api_key_in_query


def test_secrets_are_not_shown() -> None:
    """
    The password stands neither in the settings' text nor in an attribute that prints itself.
    """
    settings = read_settings({"OUTDIAL_SIP_PASSWORD": "canary-password"})

    assert "canary-password" == settings.sip_password
    assert "canary-password" not in f"{settings!r} {settings} {settings.policy!r}"


def test_every_setting_that_names_a_secret_is_one() -> None:
    """
    No password or key is ever shown, whatever setting is added.
    """
    words = ("password", "secret", "token")

    assert [] == [
        name for name, field in FIELDS.items() if any(word in name for word in words) and field.repr is not False
    ]


def test_settings_do_not_change() -> None:
    """
    What a process was opened with stays so.
    """
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_policy_is_what_was_set() -> None:
    """
    The rules read minutes as seconds and amounts as micros.
    """
    settings = read_settings(
        {
            "OUTDIAL_NUMBER_CHECK": "valid",
            "OUTDIAL_MAX_CALL_DURATION_S": "600",
            "OUTDIAL_QUEUE_TIMEOUT_S": "60",
            "OUTDIAL_MINIMUM_HOLD_MINUTES": "2",
            "OUTDIAL_DEFAULT_RATE_PER_MINUTE": "0.10",
            "OUTDIAL_DEFAULT_RATE_INCREMENT_S": "6",
            "OUTDIAL_DEFAULT_RATE_MINIMUM_S": "30",
        }
    )

    expected = Policy(
        number_check=NumberCheck.VALID,
        max_call_duration_s=600,
        queue_timeout_s=60,
        minimum_hold_s=120,
        default_rate_micros=100_000,
        default_increment_s=6,
        default_minimum_s=30,
    )
    assert expected == settings.policy
    assert settings.policy.number_check is NumberCheck.VALID


def test_patience_is_what_was_set() -> None:
    """
    Diallers read how long is waited, and how often is tried.
    """
    settings = read_settings(
        {"OUTDIAL_RING_TIMEOUT_S": "20", "OUTDIAL_DIAL_ATTEMPTS": "2", "OUTDIAL_EVIDENCE_LAG_S": "5"}
    )

    assert Patience(ring_timeout_s=20, attempts_max=2, evidence_lag_s=5) == settings.patience
    assert Patience() == Settings().patience


def test_variable_of_a_field_is_its_name_in_capitals() -> None:
    """
    `docs/settings.md` and the command line name variables by this.
    """
    assert [_variable(name) for name in FIELDS] == [variable_of(field) for field in attrs.fields(Settings)]
