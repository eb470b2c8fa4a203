"""Log records of a worker."""

import logging

from llmflow.errors import LLMFlowError
from llmflow.types.texts import one_line


class OneLineForOurErrors(logging.Filter):
    """Drops the tracebacks of our own errors, which Temporal logs with every failed activity.

    The message of such an error says what to do, and its place in our code adds nothing.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record; a traceback that ends in an `LLMFlowError` becomes that error's name and message."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, LLMFlowError):
            about = {"activity_type": "activity", **vars(record).get("temporal_activity", {})}
            where = "{activity_type} {activity_id} of {workflow_id}, attempt {attempt}".format_map(_Blank(about))
            record.msg, record.args = (
                "%s failed: %s: %s",
                (one_line(where), type(error).__name__, one_line(error.message)),
            )
            record.exc_info = None
        return True


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def log_our_errors_in_one_line() -> None:
    """Install the filter for the activities of this process."""
    logger = logging.getLogger("temporalio.activity")
    if not any(isinstance(one, OneLineForOurErrors) for one in logger.filters):
        logger.addFilter(OneLineForOurErrors())
