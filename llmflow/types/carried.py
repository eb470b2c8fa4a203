"""What a run hands on: to its children, and to the run that continues it."""

from llmflow.types.approvals import ApprovalReport, Reach
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import CompactWire
from llmflow.types.forks import Fork
from llmflow.types.machines import Machines
from llmflow.types.models import Candidate
from llmflow.types.origins import Origin
from llmflow.types.prompts import PinnedPrompt
from llmflow.types.steps import StepRecord
from llmflow.types.usage import UsageReport


class Carried(CompactWire):
    """In the header of a child's or a continued run's start, so that no user code has to hand it on."""

    origin: Origin = Origin()
    prompts: dict[str, PinnedPrompt] = {}
    """By the prompt's name."""
    models: dict[str, dict[str, tuple[Candidate, ...]]] = {}
    """By App and alias: two Apps may mean different models by one word."""
    attributes: SearchAttributes | None = None
    usage: UsageReport | None = None
    """Totals so far, for a run that continues; `None` for a child, which counts its own."""
    steps: tuple[StepRecord, ...] = ()
    """Those of the runs before, for a run that continues."""
    names: dict[str, int] = {}
    """How often each step and call was named so far, for a run that continues: the names go on from there."""
    approvals: ApprovalReport = ApprovalReport()
    """Questions and decisions so far, for a run that continues."""
    reach: Reach | None = None
    """How people learn of questions, for a run that continues."""
    machines: Machines = Machines()
    """Where the state machines stand, for a run that continues."""
    fork: Fork | None = None
    """Whose results this run takes over, for a child of a forked run."""
