"""
From a call to an endpoint on a real socket: dialled by the simulator, told, checked by the reference library.
"""

import asyncio
from pathlib import Path
from typing import Any

import attrs
import pytest

import outdial
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.webhook import Webhook
from outdial.entrypoints.client.webhooks import WebhooksClient
from outdial.entrypoints.wire.webhook_requests import NewWebhook
from tests.documentation.examples import ROOT, blocks
from tests.library.setting_up import BUSY, CALLEE, MEMORY, opened
from tests.webhooks.receiver import OK, Receiver, raw, receiver, status

SETTINGS = attrs.evolve(MEMORY, webhook_allow_http_loopback=True)


def documented_receive() -> Any:
    """
    Return the function that the documentation shows to those who receive.
    """
    (example,) = blocks((ROOT / "docs/webhooks.md").read_text(), "python")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - the document's own example
    return names["receive"]


async def subscribe(webhooks: WebhooksClient, listening: Receiver) -> Webhook:
    """
    Have a receiver told of everything.
    """
    made = await webhooks.create(NewWebhook(url=listening.url))
    assert not isinstance(made, Refused)
    return made


async def arrived(listening: Receiver, count: int) -> None:
    """
    Wait until so many requests came.
    """
    async with asyncio.timeout(20):
        while len(listening.received) < count:
            listening.arrived.clear()
            await listening.arrived.wait()


async def delivered(webhooks: WebhooksClient, webhook: Webhook) -> None:
    """
    Wait until nothing is on its way any more.
    """
    async with asyncio.timeout(20):
        while True:
            page = await webhooks.deliveries(webhook.id)
            assert not isinstance(page, Refused)
            if {DeliveryState.DELIVERED} == {delivery.state for delivery in page.deliveries}:
                return
            await asyncio.sleep(0.02)


def test_a_call_is_told_of_as_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The documented receiver accepts both messages, by the secret that was shown when the webhook was made.
    """

    async def run() -> list[str]:
        settings = attrs.evolve(SETTINGS, database=f"sqlite:///{tmp_path / 'outdial.db'}")
        async with opened(settings) as clinic, receiver() as listening:
            webhooks = clinic.dialer.client(account_id=clinic.account_id).webhooks
            webhook = await subscribe(webhooks, listening)
            decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert isinstance(decision, Accepted)
            await arrived(listening, 2)
            await delivered(webhooks, webhook)
            receive = documented_receive()
            return [receive(webhook.secret.text, one.headers, one.body) for one in listening.received]

    names = asyncio.run(run())

    assert 2 == len(set(names))
    assert ["call.started", "call.ended"] == [line.split()[0] for line in capsys.readouterr().out.splitlines()[-2:]]


def test_a_failure_is_told_of_until_somebody_listens() -> None:
    """
    After 500, the same message again, five seconds later; then it is delivered.
    """

    async def run() -> None:
        async with opened(SETTINGS) as clinic, receiver(status(500), raw(OK)) as listening:
            webhooks = clinic.dialer.client(api_key=clinic.key).webhooks
            webhook = await subscribe(webhooks, listening)
            await clinic.dialer.dial(BUSY, clinic.agent_id)
            await arrived(listening, 2)
            await delivered(webhooks, webhook)

            first, again = listening.received
            assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
            assert b'"reason":"busy"' in first.body
            assert first.headers["webhook-timestamp"] < again.headers["webhook-timestamp"]

    asyncio.run(run())


def test_without_the_setting_this_machine_is_refused() -> None:
    """
    Neither when a webhook is made nor later.
    """

    async def run() -> None:
        async with outdial.open(MEMORY) as dialer:
            account = await dialer.administration.create_account("Clinic")
            made = await dialer.client(account_id=account.id).webhooks.create(NewWebhook(url="http://127.0.0.1:9/"))
            assert isinstance(made, Refused)

    asyncio.run(run())
