"""App of the research assistant."""

from pathlib import Path

from llmflow.app import App
from workflows.research.tools import save_file, search_documents
from workflows.research.workflow import ResearchAssistant

HERE = Path(__file__).parent

app = App(
    name="research",
    workflows=[ResearchAssistant],
    tools=[search_documents, save_file],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.research.schemas", "workflows.research.report", "workflows.research.tools"],
)
