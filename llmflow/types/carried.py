"""State that a run passes to its children and carries over continue-as-new."""

from llmflow.types.approvals import ApprovalReport, Reach
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import CompactWire
from llmflow.types.constants import Constants
from llmflow.types.conversations import Entry, Head, Instructions
from llmflow.types.forks import Fork
from llmflow.types.machines import Machines
from llmflow.types.models import Candidate
from llmflow.types.origins import Origin
from llmflow.types.prompts import PinnedPrompt
from llmflow.types.steps import StepRecord
from llmflow.types.usage import UsageReport


class CarriedConversation(CompactWire):
    """A conversation of a run that continues as new."""

    head: Head | None = None
    new: tuple[Entry, ...] = ()
    """Entries since the head."""
    asked: Instructions | None = None
    """The last instructions for the model."""
    local: tuple[str, ...] = ()
    """Tools that agents call as local activities."""
    tokens: int = 0
    """Tokens of what was said, by the usage of the last answer."""


class Carried(CompactWire):
    """State in a header of the start of a child or a continue-as-new run, so that user code need not pass it."""

    origin: Origin = Origin()
    prompts: dict[str, PinnedPrompt] = {}
    """Pinned prompts by name."""
    models: dict[str, dict[str, tuple[Candidate, ...]]] = {}
    """Pinned models by App and alias: two Apps may define one alias differently."""
    config: dict[str, Constants] = {}
    """Pinned constants by App."""
    attributes: SearchAttributes | None = None
    usage: UsageReport | None = None
    """Totals so far, for a continue-as-new run; `None` for a child, which counts its own."""
    steps: tuple[StepRecord, ...] = ()
    """Steps so far, for a continue-as-new run."""
    names: dict[str, int] = {}
    """Uses of each step and call name so far, for a continue-as-new run, which continues the numbering."""
    approvals: ApprovalReport = ApprovalReport()
    """Questions and decisions so far, for a continue-as-new run."""
    reach: Reach | None = None
    """Notification settings, for a continue-as-new run."""
    machines: Machines = Machines()
    """Positions of the state machines, for a continue-as-new run."""
    fork: Fork | None = None
    """The run whose results this one reuses, for a child of a forked run, and for the run that continues one."""
    key: str = ""
    """Beginning of the parent's idempotency keys, for a child."""
    conversations: dict[str, CarriedConversation] = {}
    """Conversations by name, for a continue-as-new run."""
    allowed: tuple[str, ...] = ()
    """Tools of agents whose calls need no approval any more, for a continue-as-new run."""
    place: str = ""
    """Path of a child below the root run, for the run events of the child."""
    effect: bool = False
    """True if all activities of the run are effects: a child that is (a part of) an action of a saga."""
