"""Errors on their way through Temporal."""

import asyncio
import runpy
from pathlib import Path

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from llmflow.converter.failures import LLMFlowFailureConverter, failure_converter
from llmflow.converter.payloads import LLMFlowPayloadConverter
from llmflow.errors import (
    BY_CODE,
    BudgetReserved,
    CircuitOpen,
    ErrorDetail,
    LimitReached,
    LLMFlowError,
    OutputInvalid,
    RateLimited,
    RequestRejected,
    StoreUnavailable,
    ToolRefused,
)

PAYLOADS = LLMFlowPayloadConverter()
FAILURES = LLMFlowFailureConverter()


def wire(error: BaseException) -> Failure:
    failure = Failure()
    FAILURES.to_failure(error, PAYLOADS, failure)
    return failure


def dig(depth: int) -> ErrorDetail:
    return drill(depth - 1) if depth else ErrorDetail.model_validate({"status": "high"})


def drill(depth: int) -> ErrorDetail:
    return dig(depth - 1)


@pytest.mark.parametrize("error_class", BY_CODE.values(), ids=lambda one: one.__name__)
def test_every_error_comes_back_as_itself(error_class: type[LLMFlowError]) -> None:
    detail = ErrorDetail(model="openai:gpt", status=429, retry_after=1.5, field="a.b", answer="{}", size=3)

    back = FAILURES.from_failure(wire(error_class("what to do", detail)), PAYLOADS)

    assert type(back) is error_class
    assert isinstance(back, ApplicationError), "who catches Temporal's errors catches ours"
    assert (back.type, back.details) == (error_class.code(), (detail.model_dump(exclude_defaults=True),))
    assert str(back) == "what to do"
    assert back.detail == detail
    assert wire(back).application_failure_info.non_retryable is not error_class.retryable


def test_the_wait_that_a_vendor_asks_for_reaches_temporal() -> None:
    failure = wire(RateLimited("slow down", ErrorDetail(retry_after=2.5)))

    assert failure.application_failure_info.next_retry_delay.ToMilliseconds() == 2500
    assert not wire(OutputInvalid("no", ErrorDetail(retry_after=2.5))).application_failure_info.HasField(
        "next_retry_delay"
    )


@pytest.mark.parametrize(("error_class", "retry"), [(RateLimited, False), (RequestRejected, True)])
def test_the_vendors_word_decides_on_another_attempt(error_class: type[LLMFlowError], retry: bool) -> None:
    failure = wire(error_class("as the vendor says", ErrorDetail(retry=retry, retry_after=2.5)))
    back = FAILURES.from_failure(failure, PAYLOADS)

    assert failure.application_failure_info.non_retryable is not retry
    assert failure.application_failure_info.HasField("next_retry_delay") is retry
    assert isinstance(back, error_class)
    assert back.detail.retry is retry


@pytest.mark.parametrize("error_class", BY_CODE.values(), ids=lambda one: one.__name__)
def test_our_own_refusals_are_benign(error_class: type[LLMFlowError]) -> None:
    benign = wire(error_class("not now")).application_failure_info.category == ApplicationErrorCategory.BENIGN

    assert benign is error_class.refusal
    assert error_class.refusal is (error_class in {LimitReached, BudgetReserved, CircuitOpen, StoreUnavailable})


def test_a_client_with_nothing_of_ours_can_read_it() -> None:
    failure = wire(OutputInvalid("does not fit", ErrorDetail(answer="{}")))

    assert failure.message == "does not fit"
    assert failure.application_failure_info.type == "llmflow.OutputInvalid"
    assert PAYLOADS.from_payloads(failure.application_failure_info.details.payloads) == [{"answer": "{}"}]


def test_causes_stay() -> None:
    error = OutputInvalid("outer")
    error.__cause__ = ValueError("inner")

    back = FAILURES.from_failure(wire(error), PAYLOADS)

    assert isinstance(back, OutputInvalid)
    assert isinstance(back.__cause__, ApplicationError)
    assert back.__cause__.type == "ValueError"


def test_what_was_raised_from_none_carries_no_context() -> None:
    try:
        try:
            raise ValueError("sk-secret")
        except ValueError:
            raise RateLimited("slow down") from None
    except RateLimited as error:
        failure = wire(error)

    assert b"sk-secret" not in failure.SerializeToString()


def test_a_message_has_an_end() -> None:
    error = ToolRefused("x" * 3_000_000)
    error.__cause__ = ValueError("y" * 3_000_000)
    failure = wire(error)
    assert failure.ByteSize() < 100_000
    assert failure.message.endswith("x… (3,000,000 characters)")
    assert failure.cause.message.startswith("yyy")


def test_a_trace_begins_where_the_code_is_neither_temporals_nor_ours_and_has_an_end() -> None:
    with pytest.raises(ValueError) as raised:
        dig(40)
    lines = wire(raised.value).stack_trace.splitlines()

    assert "test_failures.py" in lines[0]
    assert "  ... 36 more" in lines  # of one frame of this test, 41 that dig, and one of pydantic
    assert "pydantic" in lines[-2]
    assert sum("File" in line for line in lines) == 7


@pytest.mark.parametrize("causes", [1, 5, 10])
def test_an_error_with_its_causes_and_short_messages_has_less_than_4_kb(causes: int) -> None:
    def failed(left: int) -> Exception:
        with pytest.raises(RateLimited) as raised:
            try:
                dig(40)
            except ValueError as error:
                raise RateLimited(f"slow down {left}") from (failed(left - 1) if left else error)
        return raised.value

    failure = wire(failed(causes))
    assert failure.ByteSize() < 4_096
    for left in range(causes, -1, -1):
        assert failure.message == f"slow down {left}"
        assert "test_failures.py" in failure.stack_trace
        failure = failure.cause
    assert "pydantic" in failure.stack_trace  # where it began


def test_a_line_of_source_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "minified.py"
    path.write_text(f"1 / 0  # {'x' * 50_000}")
    with pytest.raises(ZeroDivisionError) as raised:
        runpy.run_path(str(path))

    failure = wire(raised.value)
    assert failure.ByteSize() < 4_096
    assert "minified.py" in failure.stack_trace


def test_words_and_trace_stay_encoded_where_the_users_converter_encodes_them() -> None:
    encoding = failure_converter(DefaultFailureConverterWithEncodedAttributes)()
    cause = ValueError("the iban of ana")
    with pytest.raises(OutputInvalid) as raised:
        raise OutputInvalid("the secret answer", ErrorDetail(status=400)) from cause
    failure = Failure()
    encoding.to_failure(raised.value, PAYLOADS, failure)

    for one in (failure, failure.cause):
        assert (one.message, one.stack_trace) == ("Encoded failure", "")
    said = PAYLOADS.from_payload(failure.encoded_attributes, dict[str, str])
    assert said["message"] == "the secret answer"
    assert "pytest.raises" not in said["stack_trace"]
    assert "raise OutputInvalid" in said["stack_trace"]
    back = encoding.from_failure(failure, PAYLOADS)
    assert isinstance(back, OutputInvalid)
    assert (back.message, back.detail.status, str(back.__cause__)) == (
        "the secret answer",
        400,
        "ValueError: the iban of ana",
    )


def test_a_failure_that_another_codec_encoded_is_passed_on() -> None:
    foreign = Failure(message="Encoded failure")
    foreign.encoded_attributes.metadata["encoding"] = b"binary/encrypted"
    error = ApplicationError("Encoded failure")
    error._failure = foreign  # pyright: ignore[reportPrivateUsage]  as Temporal's reader sets it
    failure = wire(error)
    assert failure.encoded_attributes.metadata["encoding"] == b"binary/encrypted"


class Shouting(DefaultFailureConverter):
    """A converter of the user's own."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        failure.message = failure.message.upper()


def test_a_converter_of_the_users_own_goes_on_working() -> None:
    failure = Failure()
    failure_converter(Shouting)().to_failure(RateLimited("slow down"), PAYLOADS, failure)
    assert failure.message == "SLOW DOWN"
    assert failure.application_failure_info.type == RateLimited.code()


def test_a_failure_that_passes_on_keeps_its_trace() -> None:
    with pytest.raises(ValueError) as raised:
        int("x")
    first = wire(raised.value)
    with pytest.raises(ApplicationError) as again:
        raise FAILURES.from_failure(first, PAYLOADS)

    assert wire(again.value).stack_trace == first.stack_trace
    assert 'int("x")' in first.stack_trace


def test_a_detail_of_a_newer_version_is_no_obstacle() -> None:
    error = ApplicationError("later", {"status": "not a number"}, type="llmflow.RateLimited")

    back = FAILURES.from_failure(wire(error), PAYLOADS)

    assert isinstance(back, RateLimited)
    assert back.detail == ErrorDetail()


@pytest.mark.parametrize(
    "error", [ApplicationError("x", type="llmflow.Unheard"), ApplicationError("x"), ValueError("x")]
)
def test_what_is_not_ours_stays_temporals(error: Exception) -> None:
    assert type(FAILURES.from_failure(wire(error), PAYLOADS)) is ApplicationError


def test_cancellation_stays_cancellation() -> None:
    assert wire(asyncio.CancelledError()).application_failure_info.type == "CancelledError"


def test_a_users_own_subclass_comes_back_as_ours() -> None:
    class Closed(ToolRefused):
        pass

    back = FAILURES.from_failure(wire(Closed("closed today")), PAYLOADS)

    assert type(back) is ToolRefused
    assert str(back) == "closed today"
