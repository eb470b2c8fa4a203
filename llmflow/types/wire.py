"""All names of llmflow on the wire. `contracts.py` gives each its types."""

PREFIX = "llmflow"
"""Prefix of headers, memos, signals and updates of llmflow."""

# Activities and workflows.
COMPLETE = "llmflow.complete"
RENDER = "llmflow.render"
RESOLVE = "llmflow.resolve"
REACH = "llmflow.reach"
NOTIFY = "llmflow.notify"
RECALL = "llmflow.recall"
STANDS = "llmflow.stands"
SENT = "llmflow.sent"
BATCH = "llmflow.batch"
CONFIG = "llmflow.config"
SCORE = "llmflow.score"
RAISE = "llmflow.raise_budget"

# Queries, updates and signals. `llmflow.approvals` and `llmflow.stopped` are memos as well.
DECIDE = "llmflow.decide"
SPENT = "llmflow.spent"
STOPPED = "llmflow.stopped"
APPROVALS = "llmflow.approvals"
USAGE = "llmflow.usage"
STEPS = "llmflow.steps"

# Headers. `llmflow.fork` is a memo as well.
CARRIED = "llmflow"
FORK = "llmflow.fork"
PLACE = "llmflow.place"
KEY = "llmflow.key"
RUN = "llmflow.run"
EFFECT = "llmflow.effect"
KEPT = "llmflow.kept"
STREAM = "llmflow.stream"

# Memos of a run, set at its start: a client other than ours sets them as well.
TAGS = "llmflow.tags"
TENANT = "llmflow.tenant"
USER = "llmflow.user"
BUDGET = "llmflow.budget"

# Memos that a run itself writes.
DECIDED = "llmflow.decided"

# Search attributes, unless LLMFLOW_SEARCH_ATTRIBUTES gives them other names.
COST_ATTRIBUTE = "LlmCostUsd"
TAGS_ATTRIBUTE = "LlmTags"
APPROVAL_ATTRIBUTE = "LlmAwaitingApproval"


def calls_queue(task_queue: str) -> str:
    """Return the task queue of llmflow's activities, for workflows of a task queue.

    It is another one because a worker that polls a queue for some activities takes all: those of its neighbours as
    well, which it may not have.
    """
    return f"{task_queue}.{PREFIX}"
