"""Recorded decisions: a fork takes over what people decided in the run that it forks."""

import hashlib

from llmflow.flow.execute import execute
from llmflow.flow.run import CurrentRun
from llmflow.flow.run.approvals import Asked
from llmflow.types.approvals import Question, RecallRequest
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import RECALL

_ASKED = ("name", "payload", "details", "form", "approvers", "quorum")


async def asked(run: CurrentRun, question: Question) -> Asked:
    """Return the address and the digest of a question and, in a fork, its recorded decision."""
    verb = f"approval {question.name}"
    digest = hashlib.sha256(question.model_dump_json(include=set(_ASKED)).encode()).hexdigest()[:16]
    if (fork := run.forks.fork) is None:
        return Asked(address=run.steps.address(verb), digest=digest, recorded=None)
    request = RecallRequest(digest=digest, fork=fork)
    address, found = await execute(RECALL, request, verb=verb, options=CallOptions())
    return Asked(address=address, digest=digest, recorded=found.settled)
