"""
Numbers for Prometheus: what this process did, and what its database holds. Nothing in them names a person or a key.
"""

import asyncio
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product
from typing import Final

import attrs
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.delivery import Try
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.webhook import Message
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.storage import Storage

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are counted together: a label's values must be few, whatever strangers send."""

WITHIN_S: Final = 0.5
"""A scrape must not wait for a database that is away."""

FRESH_S: Final = 5.0
"""How long what was seen of the database is told again; scrapers commonly come every 15 seconds."""

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
DIAL_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
BATCH_LENGTHS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@attrs.frozen
class OpenCallsSeen:
    """
    What the database held at a time.
    """

    calls: tuple[OpenCalls, ...]
    at: datetime


class Metrics:
    """
    The numbers of one process, in a registry of its own.

    Attributes:
        seen: What the database held a moment ago; `None` leaves it out.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.seen: OpenCallsSeen | None = None
        self._look_again_at_s = -math.inf
        self._decisions = Counter(
            "outdial_decisions_total",
            "Requests for calls, by what was decided, and why.",
            ["outcome", "reason"],
            registry=registry,
        )
        self._batch_length = Histogram(
            "outdial_commit_batch_size",
            "Requests that were decided in one transaction.",
            buckets=BATCH_LENGTHS,
            registry=registry,
        )
        self._commit_seconds = Histogram(
            "outdial_commit_seconds", "How long such a transaction took.", buckets=SECONDS, registry=registry
        )
        self._dial_seconds = Histogram(
            "outdial_dial_seconds",
            "From the acceptance of a call until the network took it.",
            buckets=DIAL_SECONDS,
            registry=registry,
        )
        self._ended = Counter(
            "outdial_calls_ended_total", "Calls that ended, by how.", ["disposition"], registry=registry
        )
        self._incidents = Counter(
            "outdial_incidents_total",
            "What must not happen and was caught: people reached by calls that were not to go on, by why.",
            ["kind", "reason"],
            registry=registry,
        )
        for kind, objection in product(IncidentKind, Objection):  # alerts see the first one rise from 0
            self._incidents.labels(kind.value, objection.value)
        self.live_calls = Gauge("outdial_live_calls", "Calls that this process sees through now.", registry=registry)
        self._webhook_lag = Histogram(
            "outdial_webhook_lag_seconds",
            "From a change of a call until a webhook took the message of it.",
            buckets=DIAL_SECONDS,
            registry=registry,
        )
        self._webhook_tries = Counter(
            "outdial_webhook_tries_total",
            "Messages that were sent to a webhook, by what came of it.",
            ["outcome"],
            registry=registry,
        )
        self._register_http()
        registry.register(_Database(self))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def _register_http(self) -> None:
        registry = self.registry
        self._requests = Counter(
            "outdial_http_requests_total",
            "HTTP requests, by the address they found.",
            ["route", "method", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "outdial_http_request_seconds",
            "How long it took until an answer began.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )

    def decided(self, decision: Decision) -> None:
        """
        Count a decision on a request for a call.
        """
        match decision:
            case Accepted():
                self._decisions.labels("accepted", "").inc()
            case Refused(reason=reason):
                self._decisions.labels("refused", reason.value).inc()
            case _:
                self._decisions.labels("replayed", "").inc()

    def committed(self, requests: int, seconds: float) -> None:
        """
        Note how many requests a transaction decided, and how long it took.
        """
        self._batch_length.observe(requests)
        self._commit_seconds.observe(seconds)

    def moved(self, call: Call, at: datetime) -> None:
        """
        Note that this process brought a call into another state.
        """
        if call.state is State.DIALING:
            self._dial_seconds.observe(max(0.0, (at - call.created_at).total_seconds()))
        elif call.state in TERMINAL - {State.REVEALED} and call.disposition is not None:
            self._ended.labels(call.disposition.value).inc()

    def caught(self, kind: IncidentKind, objection: Objection) -> None:
        """
        Count somebody who was reached by a call that was not to go on.
        """
        self._incidents.labels(kind.value, objection.value).inc()

    def tried(self, message: Message, tried: Try) -> None:
        """
        Note that a message was sent to a webhook.
        """
        self._webhook_tries.labels("delivered" if tried.is_success else "failed").inc()
        if tried.is_success:
            taken_at = tried.at + timedelta(milliseconds=tried.duration_ms)
            self._webhook_lag.observe(max(0.0, (taken_at - message.at).total_seconds()))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """
        Note an answer over HTTP.

        Args:
            route: The address as it is written in the reference, with `{names}`.
        """
        self._requests.labels(route, method if method in METHODS else "other", str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    async def scrape(self, storage: Storage, clock: Clock) -> bytes:
        """
        Write it all down in Prometheus' text format, without what a database holds that does not answer soon.
        """
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._look_again_at_s:
            self._look_again_at_s = now_s + FRESH_S
            try:
                async with asyncio.timeout(WITHIN_S):
                    calls = await storage.read(lambda reader: reader.calls.open())
            except (StorageError, TimeoutError):
                self.seen = None
            else:
                self.seen = OpenCallsSeen(calls, clock.now())
        return generate_latest(self.registry)


class _Database(Collector):
    """
    Numbers that are those of the database, not of a process: each tells the same.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """
        Return what was seen of the database, if anything was.
        """
        calls = GaugeMetricFamily("outdial_open_calls", "Calls in the database that are not over.", labels=["state"])
        age = GaugeMetricFamily("outdial_queue_age_seconds", "How long the oldest queued call waits; 0 without any.")
        holds = GaugeMetricFamily("outdial_holds_micros", "Money held for open calls, in micros.", labels=["currency"])
        seen = self._metrics.seen
        if seen is not None:
            counts, held = dict.fromkeys((state for state in State if state not in TERMINAL), 0), dict[str, int]()
            for group in seen.calls:
                counts[group.state] += group.count
                held[group.currency] = held.get(group.currency, 0) + group.held_micros
            for state, count in counts.items():
                calls.add_metric([state.value], count)
            for currency, micros in held.items():
                holds.add_metric([currency], micros)
            queued = [group.oldest_at for group in seen.calls if group.state is State.QUEUED]
            age.add_metric([], max(0.0, (seen.at - min(queued, default=seen.at)).total_seconds()))
        return (calls, age, holds)
