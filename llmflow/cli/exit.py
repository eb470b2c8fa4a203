"""Ends of commands: the one table of exit codes, and the translation of errors into them."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from llmflow.errors import (
    ApprovalNotFound,
    BudgetNotFound,
    ConfigInvalid,
    DecisionRefused,
    InputInvalid,
    LLMFlowError,
    NoWorker,
    PayloadTooLarge,
    PayloadUnreadable,
    PromptInvalid,
    PromptNotFound,
    RunExists,
    RunNotFound,
    ServerUnavailable,
    StepNotFound,
    StoreUnavailable,
)


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    CONFIG = 5
    TIMEOUT = 124
    INTERRUPTED = 130


MEANING: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.DONE: "done",
        Exit.FAILED: "the run failed, or has no result; prompts drifted, or costs differ",
        Exit.USAGE: "wrong usage, a taken id, or an input or a decision that does not fit",
        Exit.UNREACHABLE: "no Temporal server, no worker, or no store answers",
        Exit.NOT_FOUND: "no such run, step, workflow, prompt, approval, budget, model or tag",
        Exit.CONFIG: "app, prompts, models, codec or settings are wrong",
        Exit.TIMEOUT: "the run is still open when the time is up",
        Exit.INTERRUPTED: "stopped by Ctrl-C, or by a no to its question",
    }
)

_BY_ERROR: tuple[tuple[type[LLMFlowError], Exit], ...] = (
    (InputInvalid, Exit.USAGE),
    (PayloadTooLarge, Exit.USAGE),
    (DecisionRefused, Exit.USAGE),
    (RunExists, Exit.USAGE),
    (ServerUnavailable, Exit.UNREACHABLE),
    (NoWorker, Exit.UNREACHABLE),
    (StoreUnavailable, Exit.UNREACHABLE),
    (RunNotFound, Exit.NOT_FOUND),
    (StepNotFound, Exit.NOT_FOUND),
    (PromptNotFound, Exit.NOT_FOUND),
    (ApprovalNotFound, Exit.NOT_FOUND),
    (BudgetNotFound, Exit.NOT_FOUND),
    (PromptInvalid, Exit.CONFIG),
    (ConfigInvalid, Exit.CONFIG),
    (PayloadUnreadable, Exit.CONFIG),
)


def exit_code(error: LLMFlowError) -> Exit:
    """Return the exit code for an error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.FAILED)
