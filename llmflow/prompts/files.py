"""`.prompt` files.

```
---
model: smart                  # an alias of models.yaml, or provider:model
config: {temperature: 0.2}    # the fields of ModelOptions
input: {question: string, notes: array | null}
output: {type: object, properties: {...}}     # JSON schema of the answer
tools: [search_documents]
metadata: {owner: ana}        # whatever you like to note
---
system:
You answer from the notes, and from nothing else.

user:
{{ question }}
{% for note in notes or [] %}
- {{ note }}
{% endfor %}
```

Everything between the two `---` lines is optional. `system:`, `user:` and `assistant:` open a message when they
stand alone on their line; a text that needs such a line writes `{{ "user:" }}`. `system cache 1h:` (or `5m`) marks the
end of the message for the vendor's cache. `assistant prefix:` opens the last message, which the model continues. The
text of each message is a template (`llmflow.prompts.templates`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from llmflow.errors import ConfigInvalid, PromptInvalid, did_you_mean
from llmflow.prompts.front_matter import FrontMatter, read_front_matter
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.prompts.templates import Template, Templates, check
from llmflow.prompts.versions import version_of
from llmflow.types.messages import Cache, Role
from llmflow.types.refs import PromptRef, is_prompt_name
from llmflow.yaml import Node, Problem


@dataclass(frozen=True)
class Opening:
    """A line that opens a message."""

    role: Role
    cache: Cache | None = None
    prefix: bool = False


ROLES: Mapping[str, Opening] = MappingProxyType(
    {
        **{f"{role}:": Opening(role) for role in get_args(Role)},
        **{f"{role} cache {time}:": Opening(role, cache=time) for role in get_args(Role) for time in get_args(Cache)},
        "assistant prefix:": Opening("assistant", prefix=True),
    }
)
"""Lines that open a message."""


def load_prompts(folder: Path, prefix: str) -> Prompts:
    """Read every `.prompt` file in a folder and the folders below: `plan.prompt` becomes `{prefix}/plan`.

    Args:
        folder: Folder of the files.
        prefix: The first part of the names.

    Raises:
        ConfigInvalid: the folder does not exist, or holds no prompt.
        PromptInvalid: files that do not parse; one line `file:line:column: what is wrong` for each problem of each.
    """
    if not folder.is_dir():
        raise ConfigInvalid(f"{folder} is not a folder: it should hold the `.prompt` files of the app `{prefix}`")
    paths = sorted(path for path in folder.rglob("*.prompt") if path.is_file())
    if not paths:
        raise ConfigInvalid(f"{folder} holds no `.prompt` files; the smallest has two lines: `user:` and a text")
    prompts: list[PromptVersion] = []
    errors: list[str] = []
    for path in paths:
        name = "/".join((prefix, *path.relative_to(folder).with_suffix("").parts))
        try:
            prompts.append(_parse(path.read_bytes(), name, path))
        except PromptInvalid as error:
            errors.append(error.message)
    if errors:
        raise PromptInvalid("\n".join(errors))
    return Prompts(prompts)


def _parse(data: bytes, name: str, path: Path) -> PromptVersion:
    if not is_prompt_name(name):
        raise PromptInvalid(f"{path}:1:1: name the file with letters, digits, `_`, `-` and `.`: it names the prompt")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise PromptInvalid(f"{path}:{line}:{column}: this is not UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise PromptInvalid(f"{path}:{line}:1: the line has a NUL character, which no database stores: remove it")
    return parse_prompt(text, name, str(path))


def parse_prompt(text: str, name: str, path: str) -> PromptVersion:
    """Parse the text of a `.prompt` file as a prompt of that name. `path` appears in error messages only.

    Raises:
        PromptInvalid: one line `path:line:column: what is wrong` for each problem.
    """
    lines = [line.rstrip() for line in re.split(r"\r\n|\r|\n", text)]
    has_header = lines[0] == "---"
    if has_header and "---" not in lines[1:]:
        _raise([Problem(1, 1, "the front matter has no end: write a second `---` line below it")], path)
    end = lines.index("---", 1) if has_header else 0
    header, places, wrong = read_front_matter(lines[1:end])
    messages, misplaced = _split_roles(lines, start=end + has_header)
    _raise([*wrong, *misplaced, *(problem for message in messages for problem in check(message))], path)
    templates = Templates(path, messages)
    _raise(_wrong_input(header, places, templates.variables), path)
    return PromptVersion(
        ref=PromptRef(name=name, version=version_of(header, messages)),
        text=text,
        templates=templates,
        model=header.model,
        options=header.options,
        input=header.input,
        output=header.output,
        tools=tuple(header.tools),
        metadata=header.metadata,
    )


def _raise(problems: Sequence[Problem], path: str) -> None:
    if problems:
        raise PromptInvalid("\n".join(f"{path}:{at.line}:{at.column}: {at.message}" for at in sorted(problems)))


def _split_roles(lines: Sequence[str], start: int) -> tuple[tuple[Template, ...], list[Problem]]:
    opened = [index for index in range(start, len(lines)) if lines[index] in ROLES]
    problems = list(_before_roles(lines, start, opened[0] if opened else len(lines)))
    templates: list[Template] = []
    for index, end in pairwise([*opened, len(lines)]):
        filled = [at for at in range(index + 1, end) if lines[at]]
        if filled:
            text = "\n".join(lines[filled[0] : filled[-1] + 1])
            opening = ROLES[lines[index]]
            if opening.prefix and end < len(lines):
                problems.append(Problem(index + 1, 1, f"no message may follow `{lines[index]}`"))
            templates.append(
                Template(opening.role, text, line=filled[0] + 1, cache=opening.cache, prefix=opening.prefix)
            )
        else:
            problems.append(Problem(index + 1, 1, f"no text follows `{lines[index]}`"))
    return tuple(templates), problems


def _before_roles(lines: Sequence[str], start: int, end: int) -> Iterator[Problem]:
    for index in range(start, end):
        if lines[index]:
            near = did_you_mean(lines[index].lower(), ROLES)
            roles = "a message begins with a line `system:`, `user:` or `assistant:` of its own"
            yield Problem(index + 1, 1, f"this text belongs to no message{near}; {roles}")
            return
    if end == len(lines):
        yield Problem(len(lines), 1, "there are no messages: write a line `user:`, and the text below it")


def _wrong_input(header: FrontMatter, places: Node, used: Sequence[str]) -> list[Problem]:
    if not header.input:
        return []
    unused = [name for name in header.input if name not in used]
    undeclared = [name for name in used if name not in header.input]
    return [
        *(
            Problem(
                *places.place(("input", name)),
                f"`{name}` is not used by the templates{did_you_mean(name, undeclared)}",
            )
            for name in unused
        ),
        *(
            Problem(
                *places.place(("input",)),
                f"the templates use `{name}`, which is not declared here{did_you_mean(name, unused)}",
            )
            for name in undeclared
        ),
    ]
