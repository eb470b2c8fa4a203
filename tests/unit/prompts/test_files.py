"""Format of `.prompt` files: valid files, and the positions of errors."""

import re
from pathlib import Path

import pytest

from llmflow.errors import ConfigInvalid, PromptInvalid
from llmflow.prompts.files import load_prompts, parse_prompt
from llmflow.types.messages import Message, Text
from llmflow.types.models import ModelOptions

FULL = """\
---
model: smart  # the alias
config: {temperature: 0.5, max_output_tokens: 900}
input: {question: string, notes: array | null}
output:
  type: object
  properties: {topic: {type: string}, queries: {type: array, items: {type: string}}}
tools: [search_documents]
metadata: {owner: ana, on: yes}
---
system:
Answer from the notes alone.

user:
{{ question }}

{% for note in notes or [] %}
- {{ note }}
{% endfor %}
"""


def test_a_file_says_everything_about_a_call() -> None:
    prompt = parse_prompt(FULL, "research/plan", "plan.prompt")
    assert prompt.ref.name == "research/plan"
    assert prompt.model == "smart"
    assert prompt.options == ModelOptions(temperature=0.5, max_output_tokens=900)
    assert prompt.input == {"question": ("string",), "notes": ("array", "null")}
    assert prompt.output is not None
    properties = prompt.output["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["topic", "queries"]
    assert prompt.tools == ("search_documents",)
    assert prompt.metadata == {"owner": "ana", "on": "yes"}  # YAML 1.2: `on` and `yes` stay text
    assert prompt.variables == ("notes", "question")
    assert [(message.role, message.line) for message in prompt.templates.messages] == [("system", 12), ("user", 15)]


def test_two_lines_are_a_prompt() -> None:
    prompt = parse_prompt("user:\nHello", "app/hello", "hello.prompt")
    assert prompt.variables == ()
    assert (prompt.model, prompt.options, prompt.tools, prompt.output) == (None, ModelOptions(), (), None)


def test_a_role_line_inside_a_line_is_text() -> None:
    prompt = parse_prompt('user:\nThe system: fine. {{ "user:" }}\n system:\nend', "app/p", "p.prompt")
    assert [message.role for message in prompt.templates.messages] == ["user"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello\nuser:\nx", "p:1:1: this text belongs to no message"),
        ("System:\nx", "p:1:1: this text belongs to no message (did you mean `system:`?)"),
        ("", "p:1:1: there are no messages"),
        ("---\nmodel: a\n---\n", "p:4:1: there are no messages"),
        ("system:\n\nuser:\nx", "p:1:1: no text follows `system:`"),
        ("user:\nx\nassistant prefix:\ny\nuser:\nz", "p:3:1: no message may follow `assistant prefix:`"),
        ("user cache 2h:\nx", "p:1:1: this text belongs to no message (did you mean `user cache 1h:`?)"),
        ("---\nmodel: a\nuser:\nx", "p:1:1: the front matter has no end"),
        ("---\n- a\n---\nuser:\nx", "p:2:1: the front matter must be `key: value` lines"),
        ("---\n\n\nmodle: a\n---\nuser:\nx", "p:4:1: `modle` is not a key of the front matter (did you mean `model`?)"),
        ("---\nmodel: a\nmodel: b\n---\nuser:\nx", 'p:3:1: found duplicate key "model"'),
        ("---\nmodel: {a\n---\nuser:\nx", "p:2:1"),
        ("---\nmodel: a: b\n---\nuser:\nx", "p:2:9: mapping values are not allowed here"),
        ("---\nmodel: [a]\n---\nuser:\nx", "p:2:1: model: Input should be a valid string"),
        ("---\nconfig: {top_q: 1}\n---\nuser:\nx", "p:2:10: `top_q` is not a key of `config` (did you mean `top_p`?)"),
        ("---\nconfig:\n  max_output_tokens: 0\n---\nuser:\nx", "p:3:3: config.max_output_tokens"),
        ("---\ninput: {q: strin}\n---\nuser:\n{{ q }}", "p:2:9: input.q.0: Input should be 'array'"),
        ("---\ninput: {q: null}\n---\nuser:\n{{ q }}", "p:2:9: input.q: write the type as text"),
        ("---\noutput: {type: array}\n---\nuser:\nx", "p:2:1: output: vendors want"),
        ("---\ntools: search\n---\nuser:\nx", "p:2:1: tools: Input should be a valid list"),
        ("---\nmetadata: {on: 2020-01-01}\n---\nuser:\nx", "p:2:12: metadata.on: input was not a valid JSON value"),
        ("---\nmetadata: {on: 2020-99-01}\n---\nuser:\nx", "p:1:1: this is not YAML: month"),
        ("---\nmetadata: &x [*x]\n---\nuser:\nx", "p:2:1: metadata"),
        ("---\nmetadata: !!python/name:os.system x\n---\nuser:\nx", "p:2:11: could not determine a constructor"),
        ("---\ninput: {qery: string}\n---\nuser:\n{{ query }}", "p:2:9: `qery` is not used by the templates (did you"),
        ("---\ninput: {a: string}\n---\nuser:\n{{ a }}{{ b }}", "p:2:1: the templates use `b`, which is not declared"),
        ("user:\nfine\n  é {{ a b }}", "p:3:10: unexpected identifier, expected end of variable block"),
        ("system:\nx\n\nuser:\n\n\n{% for %}", "p:7:8: unexpected end of block"),
        ("user:\n{{ x|uper }}", "p:2:6: there is no filter `uper`"),
        ("user:\n{% if x is defned %}a{% endif %}", "p:2:12: there is no test `defned`"),
        ("user:\n{{ x|replace('a', 'b') }}", "p:2:6: there is no filter `replace`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(PromptInvalid, match="(?m)^" + re.escape(expected)):
        parse_prompt(text, "app/p", "p")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x|nope is nope }}' }}",
        "{# {{ x|nope }} #}done",
        "{% raw %}{{ x|nope }}{% endraw %}",
        "don't {{ 'say' }} it isn't | so",
        "{{ ['a']|join(', ') if 1 is not none else '' }}",
    ],
)
def test_what_only_looks_like_a_filter_or_a_test_is_none(text: str) -> None:
    assert parse_prompt(f"user:\n{text}", "app/p", "p").variables == ()


def test_a_folder_gives_names(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "plan.prompt").write_text("user:\nplan")
    (tmp_path / "deep" / "write.v2.prompt").write_bytes(b"\xef\xbb\xbfuser:\r\nwrite\r\n")
    (tmp_path / "notes.md").write_text("no prompt")
    prompts = load_prompts(tmp_path, "research")
    assert [prompt.ref.name for prompt in prompts] == ["research/deep/write.v2", "research/plan"]


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.prompt").write_text("---\nmodle: x\n---\nuser:\n{{ x|nope }}")
    (tmp_path / "b.prompt").write_bytes(b"user:\nna\xefve")
    (tmp_path / "c d.prompt").write_text("user:\nfine")
    (tmp_path / "e.prompt").write_text("user:\nfine")
    with pytest.raises(PromptInvalid) as caught:
        load_prompts(tmp_path, "app")
    places = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert places == [
        f"{tmp_path / 'a.prompt'}:2:1",
        f"{tmp_path / 'a.prompt'}:5:6",
        f"{tmp_path / 'b.prompt'}:2:3",
        f"{tmp_path / 'c d.prompt'}:1:1",
    ]


@pytest.mark.parametrize(("folder", "expected"), [("missing", "is not a folder"), (".", "holds no `.prompt` files")])
def test_a_folder_without_prompts_is_an_error(tmp_path: Path, folder: str, expected: str) -> None:
    with pytest.raises(ConfigInvalid, match=expected):
        load_prompts(tmp_path / folder, "app")


def test_a_message_may_be_cached_and_an_answer_begun() -> None:
    text = "system cache 1h:\nBe brief.\n\nuser cache 5m:\n{{ book }}\n\nuser:\nWhy?\n\nassistant prefix:\nBecause"
    prompt = parse_prompt(text, "a/b", "b.prompt")
    assert prompt.templates.render({"book": "A book."}) == (
        Message.system(Text(text="Be brief.", cache="1h")),
        Message.user(Text(text="A book.", cache="5m")),
        Message.user("Why?"),
        Message.assistant("Because", prefix=True),
    )
    plain = re.sub(" cache 1h| cache 5m| prefix", "", text)
    assert prompt.ref.version != parse_prompt(plain, "a/b", "b.prompt").ref.version
