"""A tracer provider for one test, and spans in a form to compare."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once
from temporalio.contrib.opentelemetry import create_tracer_provider


@contextmanager
def traced() -> Generator[InMemorySpanExporter]:
    """Trace this program for as long as the context lasts."""
    exporter = InMemorySpanExporter()
    provider = create_tracer_provider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with program_provider(provider):
        yield exporter
    provider.shutdown()


@contextmanager
def program_provider(provider: trace.TracerProvider | None) -> Generator[None]:
    """Set the global provider, and reset it: OpenTelemetry itself sets one once per process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        patch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
        yield


def id_of(span: ReadableSpan) -> int:
    """Return the id of a span that has begun."""
    assert span.context
    return span.context.span_id


def tree(spans: Iterable[ReadableSpan]) -> list[str]:
    """Return the spans as lines, each indented below its parent, siblings by name, roots first."""
    known = list(spans)
    ids = {id_of(span) for span in known}

    def lines(siblings: Sequence[ReadableSpan], depth: int) -> Iterator[str]:
        for span in sorted(siblings, key=lambda one: one.name):
            yield "  " * depth + span.name
            yield from lines([one for one in known if one.parent and one.parent.span_id == id_of(span)], depth + 1)

    return list(lines([one for one in known if not one.parent or one.parent.span_id not in ids], 0))
