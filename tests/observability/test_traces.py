"""
One trace from the request to the hang-up, and nothing personal in it.
"""

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

import outdial
from outdial.adapters.opentelemetry.tracer import OpenTelemetryTracer
from outdial.domain.model.lifecycle import State
from outdial.entrypoints import composition
from outdial.ports.errors import MissingExtraError
from tests import builders
from tests.entrypoints.clinic import KEYS, LISTED
from tests.http.api import BODY, CALLS, MEMORY, Api
from tests.library.setting_up import furnish, in_file

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENTS_SPAN: Final = "00f067aa0ba902b7"
TRACE_PARENT: Final = f"00-{TRACE}-{CLIENTS_SPAN}-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """
    Where spans go.
    """
    return InMemorySpanExporter()


@pytest.fixture
def api(exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """
    An interface whose calls are dialled by the simulator and traced.
    """
    monkeypatch.setattr(composition, "tracer", lambda _settings: tracing_to(exporter))
    api = Api(dials=True)
    yield api
    api.close()


def tracing_to(exporter: InMemorySpanExporter) -> OpenTelemetryTracer:
    """
    Return a tracer whose spans go to a list.
    """
    return OpenTelemetryTracer(SimpleSpanProcessor(exporter), version="1", role="all")


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """
    Return the spans that ended, by their names.
    """
    return {span.name: span for span in exporter.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str:
    """
    Return the id of the span that one is a part of.
    """
    assert span.parent is not None
    return format_span_id(span.parent.span_id)


def trace_of(span: ReadableSpan) -> str:
    """
    Return the id of a span's trace.
    """
    context = span.get_span_context()
    assert context is not None
    return format_trace_id(context.trace_id)


def id_of(span: ReadableSpan) -> str:
    """
    Return a span's own id.
    """
    context = span.get_span_context()
    assert context is not None
    return format_span_id(context.span_id)


def test_a_trace_goes_from_the_request_to_the_hang_up(api: Api, exporter: InMemorySpanExporter) -> None:
    """
    The client's trace goes on in the request, the decision, and the attempt with each state that it went through.
    """
    answer = api.post(headers={"traceparent": TRACE_PARENT})
    call_id = answer.json()["call_id"]
    api.until(answer.headers["Location"], "completed")

    spans = by_name(exporter)
    request, decision, attempt = spans[f"POST {CALLS}"], spans["decide"], spans["attempt"]
    assert {TRACE} == {trace_of(span) for span in (request, decision, attempt)}
    assert (CLIENTS_SPAN, id_of(request), id_of(decision)) == (
        parent_of(request),
        parent_of(decision),
        parent_of(attempt),
    )
    assert (SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.CLIENT) == (request.kind, decision.kind, attempt.kind)
    assert {"http.request.method": "POST", "http.route": CALLS, "http.response.status_code": 201} == request.attributes
    assert {"outdial.outcome": "accepted", "outdial.call_id": call_id} == decision.attributes
    assert attempt.attributes is not None
    assert (call_id, "settled") == (attempt.attributes["outdial.call_id"], attempt.attributes["outdial.state"])
    assert ["sending", "dialing", "ringing", "in-progress", "settled"] == [event.name for event in attempt.events]


@pytest.mark.parametrize("sent", [None, "nonsense", "00-0-0-00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_trace_begins_here_where_the_client_has_none(
    api: Api, exporter: InMemorySpanExporter, sent: str | None
) -> None:
    """
    What is no trace context is ignored, and each request is a trace of its own.
    """
    headers = {} if sent is None else {"traceparent": sent}

    answers = [api.post(headers=headers), api.post(headers=headers)]

    requests = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert [201, 201] == [answer.status_code for answer in answers]
    assert [None, None] == [span.parent for span in requests]
    assert 2 == len({trace_of(span) for span in requests})


def test_an_attempt_that_another_process_may_go_on_with_is_told(exporter: InMemorySpanExporter) -> None:
    """
    What is left unknown here, or queued for another attempt, is not waited for.
    """
    tracer, call = tracing_to(exporter), builders.call(attempt=1)

    for state in (State.SENDING, State.UNKNOWN, State.SENDING, State.QUEUED):
        tracer.moved(attrs.evolve(call, state=state), builders.NOW)

    told = [dict(span.attributes or {})["outdial.state"] for span in exporter.get_finished_spans()]
    assert ["unknown", "queued"] == told


def test_a_refusal_is_told_with_its_reason(api: Api, exporter: InMemorySpanExporter) -> None:
    """
    Whoever reads the trace need not guess; there is no attempt.
    """
    api.post({**BODY, "phone_number": LISTED})

    spans = by_name(exporter)
    assert {"outdial.outcome": "refused", "outdial.reason": "do_not_call"} == spans["decide"].attributes
    assert "attempt" not in spans


def test_a_trace_goes_on_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever dials, or finds that a call must not be dialled any more, tells of it in the trace of its request.
    """
    exporters = InMemorySpanExporter(), InMemorySpanExporter()
    tracers = [tracing_to(exporter) for exporter in exporters]
    monkeypatch.setattr(composition, "tracer", lambda _settings: tracers.pop(0))

    async def scenario() -> None:
        async with outdial.open(in_file(tmp_path), dials=False) as api:
            clinic = await furnish(api)
            key, text = await api.administration.create_key(clinic.account_id, ["can_initiate_calls"])
            accepted = await api.dial("+15551234567", clinic.agent_id, api_key=text)
            assert isinstance(accepted, outdial.Accepted)
            await api.administration.revoke_key(key.id)
        async with outdial.open(in_file(tmp_path)) as worker:
            await worker.wait(accepted.call, timeout_s=10)

    asyncio.run(scenario())

    decision, attempt = by_name(exporters[0])["decide"], by_name(exporters[1])["attempt"]
    assert id_of(decision) == parent_of(attempt)
    assert attempt.attributes is not None
    assert "canceled" == attempt.attributes["outdial.disposition"]
    assert ["blocked"] == [event.name for event in attempt.events]


def test_nothing_personal_and_no_secret_is_in_a_trace(api: Api, exporter: InMemorySpanExporter) -> None:
    """
    Neither in names nor in attributes nor in events.
    """
    body = {**BODY, "variables": {"customer_name": "Zoë Canary"}, "contact_id": 456}
    location = api.post(body, headers={"Idempotency-Key": "canary-key"}).headers["Location"]
    api.until(location, "completed")
    api.get(f"{CALLS}/canary?canary=1")

    text = "".join(span.to_json() for span in exporter.get_finished_spans())

    for secret in (*KEYS, "5551234567", "5555550100", "Canary", "canary", "Clinic", "Appointment", "John"):
        assert secret not in text


class Collector:
    """
    Takes OTLP over HTTP on this machine.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") is None:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        """
        Remember what was sent.
        """
        for sent in request.resource_spans:
            self.services |= {
                attribute.value.string_value
                for attribute in sent.resource.attributes
                if attribute.key == "service.name"
            }
            self.names += [span.name for scope in sent.scope_spans for span in scope.spans]

    def close(self) -> None:
        """
        Take no more.
        """
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_traces_reach_a_collector() -> None:
    """
    What was gathered is sent in OTLP when the process ends, at the latest.
    """
    collector = Collector()
    api = Api(attrs.evolve(MEMORY, traces=collector.url), dials=True)

    location = api.post().headers["Location"]
    api.until(location, "completed")
    api.close()
    collector.close()

    assert {"outdial"} == collector.services
    assert {f"POST {CALLS}", "decide", "attempt"} <= set(collector.names)


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    """
    Calls are taken as ever, and the process ends soon.
    """
    collector = Collector()
    collector.close()
    api = Api(attrs.evolve(MEMORY, traces=collector.url))

    answer = api.post()
    api.close()

    assert 201 == answer.status_code


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing is started that would not do what was set.
    """
    for module in ("opentelemetry.tracer", "rate_limits.shared"):
        monkeypatch.setitem(sys.modules, f"outdial.adapters.{module}", None)

    for name, settings in (
        ("otel", attrs.evolve(MEMORY, traces="http://127.0.0.1:1/")),
        ("redis", attrs.evolve(MEMORY, rate_limit_storage="redis://127.0.0.1")),
    ):
        with pytest.raises(MissingExtraError, match=re.escape(f"pip install 'outdial[{name}]'")):
            outdial.Dialer(settings)
