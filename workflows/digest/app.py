"""App of the digest."""

from pathlib import Path

from llmflow.app import App
from workflows.digest.tools import list_documents, read_document
from workflows.digest.workflow import FolderDigest

HERE = Path(__file__).parent

app = App(
    name="digest",
    workflows=[FolderDigest],
    tools=[list_documents, read_document],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.digest.schemas"],
)
