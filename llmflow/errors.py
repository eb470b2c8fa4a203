"""Every error that llmflow raises, and who can fix it.

    LLMFlowError
    ├── ProviderError                 the vendor of a model, or the way to it
    │   ├── RateLimited               retried, after the vendor's delay; then the next candidate
    │   │   ├── LimitReached          ours, before the call: a limit of models.yaml; says when there is room again
    │   │   └── BudgetReserved        ours, before the call: calls in flight hold the rest of the run's budget
    │   ├── ProviderUnavailable       retried: 5xx, overload, timeout, dropped connection; then the next candidate
    │   │   ├── AnswerLost            sent, and no whole answer came: it may be billed
    │   │   └── CircuitOpen           ours, before the call: it failed repeatedly; the next candidate at once
    │   ├── AuthenticationFailed      the operator: a bad or missing key; the next candidate may help
    │   ├── QuotaExhausted            the operator: no money left there; the next candidate may help
    │   ├── ModelNotFound             the operator: no such model there; the next candidate may help
    │   ├── ContextTooLong            the developer: a candidate with a longer context may help
    │   ├── ContentRefused            the caller: the vendor's policy; another candidate may help
    │   ├── AnswerUnreadable          the vendor: a whole answer of another shape; another candidate may help
    │   └── RequestRejected           the developer: the vendor does not accept the request
    │       └── RequestUnsupported    the developer: the vendor cannot do what it asks; another candidate may
    ├── OutputInvalid                 the model: its answer did not fit the type, also after re-asking
    ├── PromptError                   the author of a prompt
    │   ├── PromptNotFound            no such prompt
    │   │   └── PromptVersionMissing  neither files nor store have the version that the run began with
    │   ├── PromptInvalid             the file does not parse; says file:line:column
    │   └── VariablesInvalid          missing or unknown variables; names them
    ├── ToolError                     the author or the caller of a tool
    │   ├── ToolNotFound              no worker serves a tool of that name
    │   ├── ToolArgumentsInvalid      names the field
    │   ├── ToolOutputInvalid         the tool returned what its annotation forbids
    │   └── ToolRefused               the tool itself refuses, for a reason a retry cannot change
    ├── InputInvalid                  the caller: a workflow's input does not fit its type
    ├── AgentError                    an agent ended without its answer; the conversation is kept
    │   ├── TurnsExceeded             it used up its turns
    │   └── AgentStuck                it makes no progress: the same calls again, or nothing but failing ones
    ├── ConversationLost              the store does not have the conversation that a history names
    ├── PayloadTooLarge               the developer: one value is too large for Temporal
    ├── PayloadUnreadable             the operator: this process lacks the codec or the storage of a value
    │   └── BlobMissing               the storage has lost a value, or has other bytes in its place
    ├── BudgetExceeded                the caller: a budget has no room for the call
    ├── BudgetNotFound                there is no budget of that scope, name and period
    ├── ApprovalError                 people who approve, and their decisions
    │   ├── ApprovalNotFound          the run has no such open approval; names those that it has
    │   ├── DecisionRefused           not an approver, a form that does not fit, decided already; changes nothing
    │   ├── ApprovalExpired           no decision before the deadline
    │   ├── ApprovalRejected          an approver rejected, and the workflow cannot continue without approval
    │   └── NotificationFailed        the operator: the webhook takes no notification; retried, unless it refuses
    ├── FanOutFailed                  too few items of a fan-out, or no branch of a race, succeeded
    ├── CompensationFailed            not every step could be undone; `detail.compensations` says which
    ├── MachineError                  the author of a state machine
    │   ├── MachineInvalid            unknown or unreachable states, at import; names them
    │   ├── StateTimedOut             a state took too long, and names no other state for that
    │   └── TooManyVisits             a state was entered more often than it may be
    ├── GuardRejected                 a guard's check did not pass, and no repair helped
    ├── VoteUndecided                 too few answers of a vote agree, or as many on another one
    ├── StoreUnavailable              the operator: the database does not answer; retried, nothing was paid
    ├── ConfigInvalid                 the operator: settings, models.yaml, an app that cannot be imported
    ├── ServerUnavailable             the operator: no Temporal server, or it does not answer
    └── RunError                      the caller of a client
        ├── RunNotFound               no run has that id
        ├── RunExists                 a run with that id exists: of another workflow or input, or the policy forbids it
        ├── StepNotFound              the run has no such step or call; names those that it has
        ├── RunNotCompleted           the run ended without a result: failed, cancelled, terminated or timed out
        │   └── ForkStopped           a fork stopped before an effect that it may not repeat, or where it was told to
        └── NoWorker                  nothing polls the run's task queue, so it cannot answer

`retryable` tells if the same call may succeed later, unless the vendor knows better (`detail.retry`); `fallback` if
another candidate model may succeed now; `refusal` if llmflow itself refused before anything was asked or paid. Each is
Temporal's `ApplicationError` of type `llmflow.<ClassName>` with one `ErrorDetail`, and comes back as its own class.
"""

from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from llmflow.details import ErrorDetail, NoRoom, Remedy, did_you_mean, unknown

__all__ = [
    "AgentError", "AgentStuck", "AnswerLost", "AnswerUnreadable", "ApprovalError", "ApprovalExpired",
    "ApprovalNotFound", "ApprovalRejected", "AuthenticationFailed", "BlobMissing", "BudgetExceeded", "BudgetNotFound",
    "BudgetReserved", "CircuitOpen", "CompensationFailed", "ConfigInvalid", "ContentRefused", "ContextTooLong",
    "ConversationLost", "DecisionRefused", "ErrorDetail", "FanOutFailed", "ForkStopped", "GuardRejected",
    "InputInvalid", "LLMFlowError", "LimitReached", "MachineError", "MachineInvalid", "ModelNotFound", "NoRoom",
    "NoWorker",
    "NotificationFailed", "OutputInvalid", "PayloadTooLarge", "PayloadUnreadable", "PromptError", "PromptInvalid",
    "PromptNotFound", "PromptVersionMissing", "ProviderError", "ProviderUnavailable", "QuotaExhausted", "RateLimited",
    "Remedy", "RequestRejected", "RequestUnsupported", "RunError", "RunExists", "RunNotCompleted", "RunNotFound",
    "ServerUnavailable", "StateTimedOut", "StepNotFound", "StoreUnavailable", "TooManyVisits", "ToolArgumentsInvalid",
    "ToolError", "ToolNotFound", "ToolOutputInvalid", "ToolRefused", "TurnsExceeded", "VariablesInvalid",
    "VoteUndecided", "did_you_mean", "unknown",
]  # fmt: skip  # a line for each would be a page


class LLMFlowError(ApplicationError):
    """Root of the tree: catch this to catch every error of ours.

    The message says what was given, what is possible and the nearest name. It names no command and no option of any
    door: `detail.remedy` names the action that would help, and each door words it.
    """

    retryable: ClassVar[bool] = False
    fallback: ClassVar[bool] = False
    refusal: ClassVar[bool] = False

    def __init__(self, message: str, detail: ErrorDetail | None = None) -> None:
        self.detail = detail or ErrorDetail()
        wait = self.detail.retry_after
        super().__init__(
            message,
            self.detail.model_dump(exclude_defaults=True),
            type=self.code(),
            non_retryable=not self.may_pass,
            next_retry_delay=timedelta(seconds=wait) if self.may_pass and wait is not None else None,
            category=ApplicationErrorCategory.BENIGN
            if self.refusal or self.detail.elsewhere
            else ApplicationErrorCategory.UNSPECIFIED,
        )
        self.args = (message,)  # Temporal puts the type before it

    @property
    def may_pass(self) -> bool:
        """True if the same call may succeed later: as the vendor says, else as the class does."""
        return self.retryable if self.detail.retry is None else self.detail.retry

    @classmethod
    def code(cls) -> str:
        """Return the failure type in Temporal, such as `llmflow.RateLimited`; a user's subclass has its base's."""
        ours = next(base for base in cls.__mro__ if base.__module__ == __name__)
        return f"llmflow.{ours.__name__}"


class ProviderError(LLMFlowError):
    """The vendor of a model, or the way to it, failed."""

    fallback = True


class RateLimited(ProviderError):
    """The vendor asks to slow down; `detail.retry_after` has the seconds, if the vendor gives them."""

    retryable = True


class LimitReached(RateLimited):
    """A limit of our own for this model or tenant is used up; it has room in `detail.retry_after` seconds."""

    refusal = True


class BudgetReserved(RateLimited):
    """Calls in flight hold the rest of the run's budget; one of them may end in `detail.retry_after` seconds."""

    refusal = True


class ProviderUnavailable(ProviderError):
    """Overload, 5xx, timeout or a dropped connection."""

    retryable = True


class AnswerLost(ProviderUnavailable):
    """The request was sent, and no whole answer came: a timeout, a broken connection or stream. It may be billed."""


class CircuitOpen(ProviderUnavailable):
    """The model failed repeatedly, and gets no calls for `detail.retry_after` seconds: the next candidate does."""

    retryable = False
    refusal = True


class AuthenticationFailed(ProviderError):
    """The vendor does not accept the key, or the key may not do this."""


class QuotaExhausted(ProviderError):
    """The account has no credit left; waiting does not help."""


class ModelNotFound(ProviderError):
    """The vendor, or models.yaml, does not know the model."""


class ContextTooLong(ProviderError):
    """The messages exceed the model's context window."""


class ContentRefused(ProviderError):
    """The vendor's content policy refused the request or the answer."""


class AnswerUnreadable(ProviderError):
    """The vendor's answer arrived whole, and is billed, but does not have the shape that its API promises."""


class RequestRejected(ProviderError):
    """The vendor does not accept the request; sending it again, or elsewhere, does not help."""

    fallback = False


class RequestUnsupported(RequestRejected):
    """The vendor or the model cannot do what the request asks, such as JSON schemas or tools; another one may."""

    fallback = True


class OutputInvalid(LLMFlowError):
    """The answer did not fit the output type, also after re-asking; `detail.answer` keeps the last one."""


class PromptError(LLMFlowError):
    """A prompt cannot be used."""


class PromptNotFound(PromptError):
    """No prompt has that name."""


class PromptVersionMissing(PromptNotFound):
    """Neither the files of a worker nor its store have the pinned version."""


class PromptInvalid(PromptError):
    """A `.prompt` file does not parse; the message begins with `file:line:column`."""


class VariablesInvalid(PromptError):
    """Variables are missing or unknown; `detail.field` names the first."""


class ToolError(LLMFlowError):
    """A tool cannot be called, or refuses."""


class ToolNotFound(ToolError):
    """No worker serves a tool of that name."""


class ToolArgumentsInvalid(ToolError):
    """The arguments do not fit the tool's signature; `detail.field` names the first that does not."""


class ToolOutputInvalid(ToolError):
    """The tool returned a value that its own annotation forbids."""


class ToolRefused(ToolError):
    """The tool refuses, and a retry cannot change that. Raise it from your own tools."""


class InputInvalid(LLMFlowError):
    """The input of a workflow does not fit its type; `detail.field` names the first field that does not."""


class AgentError(LLMFlowError):
    """An agent ended without its answer. `detail.conversation` is the head of its conversation, which is kept."""


class TurnsExceeded(AgentError):
    """The agent used up its `max_turns` before it gave its answer."""


class AgentStuck(AgentError):
    """The agent makes no progress: it repeats the same calls, or all its calls fail."""


class ConversationLost(LLMFlowError):
    """The store does not have the entries of a conversation that a history names, or has other ones."""


class PayloadTooLarge(LLMFlowError):
    """One value is too large to cross Temporal; nothing was sent. `detail.size` has its bytes."""


class PayloadUnreadable(LLMFlowError):
    """A value cannot be decoded here: its codec, its key or its storage is another one, or does not answer."""


class BlobMissing(PayloadUnreadable):
    """The storage has no blob of a value, or one with other bytes. The value is lost unless the blob comes back."""


class BudgetExceeded(LLMFlowError):
    """A budget has no room for the call; nothing was asked, and waiting does not help."""


class BudgetNotFound(LLMFlowError):
    """There is no budget of that scope, name and period."""


class ApprovalError(LLMFlowError):
    """An approval cannot be decided, or was rejected."""


class ApprovalNotFound(ApprovalError):
    """The run has no such open approval. The message names those that it has."""


class DecisionRefused(ApprovalError):
    """An invalid decision; `detail.field` says why: `by`, `form` or `approved`. The approval stays open."""


class ApprovalExpired(ApprovalError):
    """No decision came before the deadline."""


class ApprovalRejected(ApprovalError):
    """An approver rejected, and the workflow cannot continue without approval."""


class NotificationFailed(ApprovalError):
    """The webhook does not take a notification. The approval is asked all the same; `detail.status` is its answer."""

    retryable = True


class FanOutFailed(LLMFlowError):
    """Too few items of a fan-out succeeded, or no branch of a race did; `detail.failures` has the first failures."""


class CompensationFailed(LLMFlowError):
    """Not every completed step could be undone: people must look at `detail.compensations`; `__cause__` began it."""


class MachineError(LLMFlowError):
    """A state machine cannot be used as it is."""


class MachineInvalid(MachineError):
    """Unknown or unreachable states, or states without a handler or without a way to an end; the message names them."""


class StateTimedOut(MachineError):
    """A state exceeded its timeout, and names no state that follows then."""


class TooManyVisits(MachineError):
    """A state was entered more often than its `max_visits`: the machine is in a loop."""


class GuardRejected(LLMFlowError):
    """A check on an input or an output did not pass, and neither a repair nor another answer fixed it."""


class VoteUndecided(LLMFlowError):
    """Too few answers of a vote agree, or as many agree on another one. The message counts them."""


class StoreUnavailable(LLMFlowError):
    """The database does not answer. No model was asked."""

    retryable = True
    refusal = True


class ConfigInvalid(LLMFlowError):
    """Settings, models.yaml or an app cannot be used as they are."""


class ServerUnavailable(LLMFlowError):
    """No Temporal server runs there, or it does not answer."""

    retryable = True


class RunError(LLMFlowError):
    """A client's request about a run cannot be fulfilled."""


class RunNotFound(RunError):
    """No run has that id (in this namespace, within its retention)."""


class RunExists(RunError):
    """A run with that id exists already."""


class StepNotFound(RunError):
    """The run has no step or call of that name. The message names those that it has."""


class RunNotCompleted(RunError):
    """The run ended without a result: failed, cancelled, terminated or timed out. `__cause__` has the reason."""


class ForkStopped(RunNotCompleted):
    """A fork stopped before an effect without a recorded result, or where it was told to; the message says where."""


class NoWorker(RunError):
    """No worker polls the run's task queue, so the run can neither continue nor answer."""

    retryable = True


_CLASSES = [cls for cls in vars().values() if isinstance(cls, type) and issubclass(cls, LLMFlowError)]
BY_CODE = MappingProxyType({cls.code(): cls for cls in _CLASSES})
"""Failure type -> class, for the way back. Frozen: errors of users are theirs, and cross as Temporal's own."""
