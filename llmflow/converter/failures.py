"""Failures on the wire: short ones, and the way back of our errors to their own classes."""

import os
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from inspect import getfile
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, FailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError, FailureError

from llmflow.errors import BY_CODE, ConfigInvalid, ErrorDetail, LLMFlowError

MAX_MESSAGE = 20_000
"""Characters of an error's message. Temporal terminates a run whose failure is too large, and the error is lost."""
FIRST_FRAMES, LAST_FRAMES = 3, 4
"""Frames of a trace. For a retried attempt, Temporal keeps 4 KB of failure; a larger failure loses its type."""
MAX_FRAME = 400
"""Characters of a frame: a line of source may be a file of its own."""
MAX_TRACES = 3_000
"""Characters of the traces of an error and all its causes. Each gets an equal share."""
MACHINERY = tuple(f"{Path(getfile(one)).parent}{os.sep}" for one in (FailureError, LLMFlowError))
"""Packages whose frames stand above every error alike, and tell nothing about it."""


class LLMFlowFailures(DefaultFailureConverter):
    """Our errors, and short failures, for any failure converter: mix it in before that one's class."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """See base class."""
        super().to_failure(exception, payload_converter, failure)
        with _in_clear(failure, payload_converter) as chain:
            if not (isinstance(exception, FailureError) and exception.failure):  # one that is passed on has its own
                failure.stack_trace = _trace(exception.__traceback__)
            if len(failure.message) > MAX_MESSAGE:
                failure.message = f"{failure.message[:MAX_MESSAGE]}… ({len(failure.message):,} characters)"
            _share(chain)

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """See base class."""
        error = super().from_failure(_explained(failure), payload_converter)
        if isinstance(error, ApplicationError) and (known := BY_CODE.get(error.type or "")):
            ours = known(error.message, _detail(error))
            ours.__cause__ = error.__cause__
            return ours
        return error


class LLMFlowFailureConverter(LLMFlowFailures):
    """The converter of clients that have Temporal's default."""


def failure_converter(given: type[FailureConverter]) -> type[FailureConverter]:
    """Return a converter of our errors that leaves all others to the given one.

    Raises:
        ConfigInvalid: it is not derived from Temporal's default, which reads and writes Temporal's own errors.
    """
    if issubclass(given, LLMFlowFailures):
        return given
    if given is DefaultFailureConverter:
        return LLMFlowFailureConverter
    if not issubclass(given, DefaultFailureConverter):
        raise ConfigInvalid(
            f"{given.__name__} cannot be combined with llmflow: derive it from Temporal's DefaultFailureConverter"
        )
    return type(f"LLMFlow{given.__name__}", (LLMFlowFailures, given), {})


@contextmanager
def _in_clear(failure: Failure, converter: PayloadConverter) -> Generator[list[Failure]]:
    """Yield a failure and its causes with the messages and traces that were encoded, and encode them again."""
    chain = [failure]
    while chain[-1].HasField("cause"):
        chain.append(chain[-1].cause)
    encoded: list[tuple[Failure, str]] = []
    for one in chain:
        if one.HasField("encoded_attributes"):
            with suppress(Exception):  # of another codec, and passed on: it stays as it is
                said = converter.from_payload(one.encoded_attributes, dict[str, str])
                message, trace = said["message"], said["stack_trace"]
                encoded.append((one, one.message))
                one.message, one.stack_trace = message, trace
    yield chain
    for one, message in encoded:
        said = {"message": one.message, "stack_trace": one.stack_trace}
        one.encoded_attributes.CopyFrom(converter.to_payload(said))
        one.message, one.stack_trace = message, ""


def _explained(failure: Failure) -> Failure:
    """Say what to do in place of a message that no codec has decoded. Temporal's own converter leaves it as it is."""
    if failure.HasField("encoded_attributes"):
        encoding = failure.encoded_attributes.metadata["encoding"].decode(errors="replace")
        if not encoding.startswith("json/"):
            explained = Failure()
            explained.CopyFrom(failure)
            explained.message = f"(the message is {encoding}: set LLMFLOW_CODEC to the codec of its worker)"
            return explained
    return failure


def _trace(raised: TracebackType | None) -> str:
    """Return the first and last frames of a trace, without the leading ones that are Temporal's or ours."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(raised))
    theirs = (place for place, frame in enumerate(frames) if not frame.filename.startswith(MACHINERY))
    lines = [_short(line) for line in traceback.format_list(frames[next(theirs, -2) :])]
    if (between := len(lines) - FIRST_FRAMES - LAST_FRAMES) > 0:
        lines[FIRST_FRAMES:-LAST_FRAMES] = [f"  ... {between} more\n"]
    return "".join(lines)


def _short(frame: str) -> str:
    return frame if len(frame) <= MAX_FRAME else f"{frame[:MAX_FRAME]}…\n"


def _share(chain: Sequence[Failure]) -> None:
    """Keep the last frames of the traces of an error and its causes: as many as fit together."""
    most = MAX_TRACES // len(chain)
    for one in chain:
        if len(one.stack_trace) > most:
            one.stack_trace = "  ...\n" + one.stack_trace[-most:].partition("\n")[2]


def _detail(error: ApplicationError) -> ErrorDetail:
    try:
        return ErrorDetail.model_validate(error.details[0]) if error.details else ErrorDetail()
    except ValidationError:
        return ErrorDetail()  # written by a newer llmflow: the message and the type still tell the problem
