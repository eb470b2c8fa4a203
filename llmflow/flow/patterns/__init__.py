"""Patterns: they combine steps (async functions of one value) into steps, so they nest."""

from llmflow.flow.patterns.chain import chain
from llmflow.flow.patterns.evaluation import Evaluated, Judgement, evaluate
from llmflow.flow.patterns.guards import Guard, OutputGuard, Reask, Reject, Repair, gate, guarded
from llmflow.flow.patterns.orchestration import orchestrate
from llmflow.flow.patterns.parallel import Voted, sections, vote
from llmflow.flow.patterns.pipeline import Flow
from llmflow.flow.patterns.prompts import PromptStep, prompt_step
from llmflow.flow.patterns.routing import route
from llmflow.flow.patterns.steps import ModelStep, Step

__all__ = [
    "Evaluated",
    "Flow",
    "Guard",
    "Judgement",
    "ModelStep",
    "OutputGuard",
    "PromptStep",
    "Reask",
    "Reject",
    "Repair",
    "Step",
    "Voted",
    "chain",
    "evaluate",
    "gate",
    "guarded",
    "orchestrate",
    "prompt_step",
    "route",
    "sections",
    "vote",
]
