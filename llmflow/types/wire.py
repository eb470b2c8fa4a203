"""Every name that llmflow has on the wire. `contracts.py` says what each of them carries."""

PREFIX = "llmflow"
"""Headers, memos, signals and updates of llmflow begin with it."""

# Activities and workflows.
COMPLETE = "llmflow.complete"
RENDER = "llmflow.render"
RESOLVE = "llmflow.resolve"
REACH = "llmflow.reach"
NOTIFY = "llmflow.notify"
BATCH = "llmflow.batch"

# Queries, updates and signals. `llmflow.approvals` is a memo as well.
DECIDE = "llmflow.decide"
SPENT = "llmflow.spent"
APPROVALS = "llmflow.approvals"
USAGE = "llmflow.usage"
STEPS = "llmflow.steps"

# Headers. `llmflow.fork` is a memo as well.
CARRIED = "llmflow"
FORK = "llmflow.fork"
PLACE = "llmflow.place"
KEY = "llmflow.key"

# Memos of a run, written at its start: whoever starts one without our client writes them as well.
TAGS = "llmflow.tags"
TENANT = "llmflow.tenant"
USER = "llmflow.user"
BUDGET = "llmflow.budget"

# Search attributes, unless LLMFLOW_SEARCH_ATTRIBUTES gives them other names.
COST_ATTRIBUTE = "LlmCostUsd"
TAGS_ATTRIBUTE = "LlmTags"
APPROVAL_ATTRIBUTE = "LlmAwaitingApproval"
