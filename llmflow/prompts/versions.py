"""Version of a prompt: the hash of what affects the call.

The hash covers model, config, input, output, tools, and the messages: roles, texts and marks. It ignores comments,
metadata, the order of keys, line endings, white space at the ends of lines and blank lines around a message. The order
of keys in `output` counts: models write fields in that order.
"""

import hashlib
import json
from collections.abc import Sequence

from llmflow.prompts.front_matter import FrontMatter
from llmflow.prompts.templates import Template


def version_of(header: FrontMatter, messages: Sequence[Template]) -> str:
    """Return 12 hex digits of the sha256 of what affects the call."""
    # Empty parts are left out, so that a key that is invented later changes no version of today.
    content = {
        "model": header.model,
        "config": _in_order(header.options.model_dump(mode="json")),
        "input": _in_order({name: sorted(types) for name, types in header.input.items()}),
        "output": header.output,
        "tools": header.tools,
        "messages": [(message.role, message.text) for message in messages],
        "marks": [(at, one.cache, one.prefix) for at, one in enumerate(messages) if one.cache or one.prefix],
    }
    said = {key: value for key, value in content.items() if value}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def _in_order(value: dict[str, object]) -> dict[str, object]:
    return json.loads(json.dumps(value, sort_keys=True))
