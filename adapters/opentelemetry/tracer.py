"""
Traces by OpenTelemetry, sent to a collector in OTLP over HTTP.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import TERMINAL, State

NAME: Final = "outdial"
PREFIX: Final = "outdial."
HEADER: Final = "traceparent"

EXPORT_TIMEOUT_S: Final = 2
"""A collector that is away must not keep a process from ending."""

GIVEN_BACK: Final = frozenset({State.QUEUED, State.UNKNOWN})
"""Whoever goes on with such a call may be another process."""

ATTEMPTED: Final = frozenset({State.SENDING, State.UNKNOWN, State.DIALING, State.RINGING, State.IN_PROGRESS})
FAULTY: Final = frozenset({Disposition.CARRIER_ERROR, Disposition.OUTCOME_UNKNOWN, Disposition.DISCONNECTED})
"""Ends that are nobody's wish."""

_propagator: Final = TraceContextTextMapPropagator()


class OpenTelemetrySpan:
    """
    A span of a trace.
    """

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def trace_parent(self) -> str | None:
        """
        Its place in its trace.
        """
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, trace.set_span_in_context(self._span))
        return carrier.get(HEADER)

    def rename(self, name: str) -> None:
        """
        Give it a better name.
        """
        self._span.update_name(name)

    def tell(self, **facts: str | int) -> None:
        """
        Add attributes; those of OpenTelemetry's own conventions are written with `__` for their dots.
        """
        self._span.set_attributes(_attributes(facts))


class OpenTelemetryTracer:
    """
    Gathers spans and sends them from a thread of its own; nothing waits for the collector.
    """

    is_on = True

    def __init__(self, processor: SpanProcessor, *, version: str, role: str) -> None:
        """
        Take what gets the spans.
        """
        resource = Resource.create({"service.name": NAME, "service.version": version, "outdial.role": role})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(NAME, version)
        self._attempts: dict[int, trace.Span] = {}

    @classmethod
    def to_collector(cls, url: str, *, version: str, role: str) -> "OpenTelemetryTracer":
        """
        Return a tracer whose spans are sent to an address.
        """
        exporter = OTLPSpanExporter(endpoint=url, timeout=EXPORT_TIMEOUT_S)
        return cls(BatchSpanProcessor(exporter), version=version, role=role)

    @contextmanager
    def request(self, name: str, trace_parent: str | None) -> Iterator[OpenTelemetrySpan]:
        """
        Follow a request, as a part of the client's trace if it sent one.
        """
        with self._tracer.start_as_current_span(
            name, context=_context(trace_parent), kind=SpanKind.SERVER, record_exception=False
        ) as span:
            yield OpenTelemetrySpan(span)

    @contextmanager
    def step(self, name: str) -> Iterator[OpenTelemetrySpan]:
        """
        Follow a step within the current span.
        """
        with self._tracer.start_as_current_span(name, record_exception=False) as span:
            yield OpenTelemetrySpan(span)

    def moved(self, call: Call, at: datetime) -> None:
        """
        Follow an attempt from its point of no return to its end, whichever process it is in.
        """
        span = self._attempts.get(call.id)
        if span is None and call.state in ATTEMPTED | TERMINAL:
            span = self._attempts[call.id] = self._tracer.start_span(
                "attempt", context=_context(call.trace_parent), kind=SpanKind.CLIENT, start_time=_nanos(at)
            )
        if span is None:
            return
        span.add_event(call.state.value, timestamp=_nanos(at))
        if call.state in TERMINAL or call.state in GIVEN_BACK:
            self._end(span, call, at)

    async def stop(self) -> None:
        """
        Send what was gathered, for some seconds at most.
        """
        await asyncio.to_thread(self._provider.shutdown)

    def _end(self, span: trace.Span, call: Call, at: datetime) -> None:
        del self._attempts[call.id]
        facts: dict[str, str | int] = {"call_id": call.call_id, "state": call.state.value, "talk_s": call.talk_s}
        if call.attempt:
            facts["attempt_id"] = call.attempt_id
        if call.disposition is not None:
            facts["disposition"] = call.disposition.value
        span.set_attributes(_attributes(facts))
        if call.disposition in FAULTY:
            span.set_status(StatusCode.ERROR)
        span.end(_nanos(at))


def _context(trace_parent: str | None) -> Context:
    """
    Return the context that a text names; an empty one, so that a trace begins, when it names none.
    """
    return _propagator.extract({HEADER: trace_parent} if trace_parent else {}, Context())


def _attributes(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name.replace("__", ".") if "__" in name else PREFIX + name: value for name, value in facts.items()}


def _nanos(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
