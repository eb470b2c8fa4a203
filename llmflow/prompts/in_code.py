"""Prompts written in workflow code: the text that a file would have."""

import json

from llmflow.prompts.files import parse_prompt
from llmflow.prompts.prompt import PromptVersion
from llmflow.types.prompts import Prompt


def prompt_in_code(given: Prompt) -> PromptVersion:
    """Parse the prompt as if its text stood in a file. The same content has the same version.

    Raises:
        PromptInvalid: it does not parse; names line and column of such a file.
    """
    header = f"---\nmodel: {json.dumps(given.model)}\n---\n" if given.model else ""
    messages = {"system:": given.system, "user:": given.user}
    text = "\n\n".join(f"{role}\n{said}" for role, said in messages.items() if said.strip())
    return parse_prompt(f"{header}{text}\n", given.name, f"flow.Prompt {given.name}")
