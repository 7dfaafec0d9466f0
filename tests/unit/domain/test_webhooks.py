"""
What is told of a call, to whom, and how a receiver knows it is ours.
"""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from standardwebhooks.webhooks import Webhook as Receiver

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.webhook import (
    DisabledReason,
    EventType,
    FailureReason,
    as_told,
    event_of,
    failure_of,
    message_of,
)
from outdial.domain.model.webhook_signature import SECRET_LENGTH, Secret, signed_headers
from tests import builders

ANSWERED_AT = builders.NOW + timedelta(seconds=5)


def over(**changes: Any) -> Call:
    """
    Return a settled call that was answered and hung up in order.
    """
    return attrs.evolve(
        builders.call(
            state=State.SETTLED,
            answered_at=ANSWERED_AT,
            ended_at=builders.NOW,
            disposition=Disposition.HANG_UP_CALLEE,
            talk_s=9,
            charge_micros=1,
        ),
        **changes,
    )


@pytest.mark.parametrize("state", State)
def test_few_states_are_told(state: State) -> None:
    """
    To be answered and to be over.
    """
    told = {
        State.IN_PROGRESS: EventType.CALL_STARTED,
        State.SETTLED: EventType.CALL_ENDED,
        State.REVEALED: EventType.CALL_ENDED,
        State.CANCELED: EventType.CALL_FAILED,
        State.BLOCKED: EventType.CALL_FAILED,
    }

    assert told.get(state) is event_of(over(state=state))


def test_a_call_that_was_broken_off_failed() -> None:
    """
    As its status says.
    """
    assert EventType.CALL_FAILED is event_of(over(disposition=Disposition.CARRIER_ERROR))
    assert EventType.CALL_FAILED is event_of(over(answered_at=None))


def test_a_failure_is_not_told_twice() -> None:
    """
    Who heard that a call failed with its outcome unknown need not hear that nobody had answered.
    """
    assert event_of(over(state=State.REVEALED, answered_at=None)) is None


@pytest.mark.parametrize("disposition", [*Disposition, None])
def test_every_end_has_a_reason(disposition: Disposition | None) -> None:
    """
    The same word where there is one; everything else is `failed`.
    """
    words = {reason.value.replace("-", "_"): reason for reason in FailureReason}

    expected = words.get(disposition.value, FailureReason.FAILED) if disposition is not None else FailureReason.FAILED

    assert expected is failure_of(over(disposition=disposition))


def test_a_started_call_is_told_as_it_was() -> None:
    """
    Whatever became of it until it is told; an end is told as it is.
    """
    started = as_told(over(), EventType.CALL_STARTED, ANSWERED_AT)

    assert builders.call(state=State.IN_PROGRESS, answered_at=ANSWERED_AT) == started
    assert over() == as_told(over(), EventType.CALL_ENDED, builders.NOW)


def test_an_answer_that_was_stopped_is_told_with_its_time() -> None:
    """
    The call forgets it, as no conversation took place; whoever is told of the answer is told when it was.
    """
    stopped = over(answered_at=None, disposition=Disposition.DO_NOT_CALL, talk_s=0, charge_micros=0)

    assert ANSWERED_AT == as_told(stopped, EventType.CALL_STARTED, ANSWERED_AT).answered_at


def test_a_failure_is_told_as_it_was() -> None:
    """
    Whoever hears late that an outcome was unknown does not hear what was revealed since; that is told by itself.
    """
    revealed = over(state=State.REVEALED, talk_s=30)

    failed = as_told(revealed, EventType.CALL_FAILED, builders.NOW)

    assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN, 0) == (failed.status, failed.disposition, failed.talk_s)
    assert revealed == as_told(revealed, EventType.CALL_ENDED, builders.NOW)


def test_a_message_is_named_by_what_it_tells() -> None:
    """
    One event of one call has one name, which holds no full stop; any other event has another.
    """
    calls = (builders.call(), builders.call(id=790), builders.call(token=builders.token(1)))
    names = [message_of(call, event_type, builders.NOW).id for call in calls for event_type in EventType]

    assert names[0] == message_of(builders.call(), EventType.CALL_STARTED, ANSWERED_AT).id
    assert 9 == len(set(names))
    assert not any("." in name for name in names)


def test_a_webhook_wants_its_events_while_it_is_enabled() -> None:
    """
    None when it is disabled.
    """
    webhook = builders.webhook(events=frozenset({EventType.CALL_ENDED}))

    assert [False, True, False] == [webhook.wants(event_type) for event_type in EventType]
    assert not attrs.evolve(webhook, disabled_reason=DisabledReason.GONE).wants(EventType.CALL_ENDED)


def test_a_webhook_needs_an_event() -> None:
    """
    One that wants nothing is a mistake.
    """
    with pytest.raises(ValueError, match="events"):
        builders.webhook(events=frozenset())


def test_the_secret_before_signs_until_it_expires() -> None:
    """
    The newest comes first.
    """
    before, expires_at = Secret.of("b" * SECRET_LENGTH), builders.NOW
    rotated = builders.webhook(previous_secret=before, previous_secret_expires_at=expires_at)

    assert (rotated.secret, before) == rotated.secrets_at(expires_at - timedelta(seconds=1))
    assert (rotated.secret,) == rotated.secrets_at(expires_at)
    assert (rotated.secret,) == builders.webhook().secrets_at(expires_at)


def test_a_secret_shows_itself_nowhere() -> None:
    """
    Neither alone nor in a webhook, however it is printed.
    """
    secret = Secret.of("s" * SECRET_LENGTH)
    webhook = builders.webhook(secret=secret, previous_secret=secret)

    assert secret.text.startswith("whsec_")
    for shown in (repr(secret), str(secret), f"{secret}", repr(webhook), str(webhook)):
        assert secret.text not in shown
        assert secret.text.removeprefix("whsec_") not in shown


def test_a_signature_is_what_the_specification_says() -> None:
    """
    The reference library makes the same one, byte by byte; each secret adds one of its own.
    """
    secrets = [Secret.of("a" * SECRET_LENGTH), Secret.of("b" * SECRET_LENGTH)]
    body = '{"customer":"Zoë"}'

    headers = signed_headers(secrets, message_id="msg_1", at=builders.NOW, body=body.encode())

    assert "msg_1" == headers["webhook-id"]
    assert str(int(builders.NOW.timestamp())) == headers["webhook-timestamp"]
    expected = [Receiver(secret.text).sign("msg_1", builders.NOW, body) for secret in secrets]
    assert expected == headers["webhook-signature"].split(" ")
