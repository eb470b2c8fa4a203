"""One prompt as JSON."""

from typing import Any

from llmflow.service.prompts import PromptVersion


def prompt_as_json(prompt: PromptVersion) -> dict[str, Any]:  # Any: JSON
    """Return all that its file has."""
    return {
        "name": prompt.ref.name,
        "version": prompt.ref.version,
        "model": prompt.model,
        "config": prompt.options.model_dump(mode="json"),
        "variables": prompt.variables,
        "input": prompt.input,
        "output": prompt.output,
        "tools": prompt.tools,
        "metadata": prompt.metadata,
        "path": prompt.templates.path,
        "messages": [{"role": one.role, "text": one.text} for one in prompt.templates.messages],
    }
