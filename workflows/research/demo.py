"""`llmflow demo research`: a question is answered from documents."""

import os
from collections.abc import Mapping
from pathlib import Path

from llmflow.dev.demos import Demo
from workflows import documents
from workflows.research.app import HERE, app
from workflows.research.schemas import Answer, Question
from workflows.research.workflow import ResearchAssistant


def show(answer: Answer) -> str:
    """Return the report, as it was stored."""
    if answer.saved is None:
        return "No passage of these documents fits the question."
    return f"{Path(answer.saved).read_text('utf-8')}\n---\n\nSaved as `{os.path.relpath(answer.saved)}`.\n"


def prepare(question: Question) -> tuple[Question, Mapping[str, str]]:
    """Return the question with the absolute path of its folder, which the worker may read."""
    path, environ = documents.allow(question.documents)
    return question.model_copy(update={"documents": path}), environ


demo = Demo(
    app=app,
    about="A question is answered from a folder of documents, with citations",
    workflow=ResearchAssistant.run,
    input=Question(
        text="What happens when a worker is killed during a model call?",
        documents=str(HERE.parents[1] / "docs"),  # of this project, wherever it is run from
    ),
    options={"question": "text"},
    prepare=prepare,
    show=show,
)
