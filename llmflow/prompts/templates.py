"""Templates of prompts: minijinja, strict and bounded, compiled once.

Authors of prompts are trusted. Values of variables are not: they come from people, documents and models. So a value
is only ever data. It is copied as JSON (templates can call methods of Python objects), is never compiled, cannot end a
message or open another one, and cannot make a template run or grow for long.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType

from minijinja import Environment, TemplateError, pass_state
from minijinja._lowlevel import State  # type of the argument that minijinja passes to a `pass_state` function
from pydantic import JsonValue

from llmflow.errors import ErrorDetail, PromptInvalid, VariablesInvalid
from llmflow.types.messages import Cache, Message, Role, Text
from llmflow.yaml import Problem

LIMIT = 1_000_000
"""Characters of one message: about a quarter of a million tokens."""
FUEL = 1_000_000
"""Instructions of one message: about 25 ms."""
GLOBALS = ("range",)
"""Functions that templates may call. `namespace` would let a loop double a string in each iteration."""
FILTERS = frozenset(
    {
        *("abs", "batch", "bool", "capitalize", "chain", "count", "d", "default", "dictsort", "escape", "e", "first"),
        *("float", "groupby", "indent", "int", "items", "join", "last", "length", "lines", "list", "lower", "map"),
        *("max", "min", "reject", "rejectattr", "reverse", "round", "safe", "select", "selectattr", "slice", "sort"),
        *("split", "string", "sum", "title", "tojson", "trim", "unique", "upper", "urlencode", "zip"),
    }
)
"""Filters that templates may use."""
OTHER_FILTERS = ("attr", "filesizeformat", "format", "pprint", "replace", "striptags", "truncate", "wordwrap")
"""minijinja's other filters. Fuel does not stop all of them: `"%1000000000d"|format(1)` is one instruction."""
NUMBERS = MappingProxyType({"batch": 10_000, "indent": 100, "slice": 10_000, "tojson": 16})
"""Upper limits of the numbers of a filter, which a variable may give: `tojson(indent=10**15)` ends the process."""

_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_TAG = re.compile(
    r"\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{#.*?#\}"
    rf"|(?P<code>\{{[{{%](?:{_STRING}|[^\"'])*?[}}%]\}})",
    re.DOTALL,
)
_NAME = re.compile(rf"{_STRING}|\|\s*(?P<filter>[A-Za-z_]\w*)|\bis\s+(?:not\s+)?(?P<test>[A-Za-z_]\w*)", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """One message of a prompt before its variables are filled in."""

    role: Role
    text: str
    line: int
    """Line of the file on which `text` begins; the first is 1."""
    cache: Cache | None = None
    """Cache mark at the end of the message."""
    prefix: bool = False
    """True for the beginning of the answer."""


@dataclass(frozen=True, eq=False)
class Templates:
    """The messages of one prompt, compiled.

    Strings are rendered as they are, every other value as JSON. A block tag such as `{% for %}` that stands
    alone on its line leaves no empty line behind.
    """

    path: str
    """Path of the file, for error messages."""
    messages: tuple[Template, ...]
    variables: tuple[str, ...] = field(init=False)
    """Names of the variables that the templates use, sorted."""
    _environment: Environment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        environment = _environment()
        for index, template in enumerate(self.messages):
            environment.add_template(str(index), template.text)
        names = {
            name
            for index in range(len(self.messages))
            for name in environment.undeclared_variables_in_template(str(index))
        }
        object.__setattr__(self, "_environment", environment)
        object.__setattr__(self, "variables", tuple(sorted(names - set(GLOBALS))))

    def render(self, variables: dict[str, JsonValue]) -> tuple[Message, ...]:
        """Render the messages, stripped of surrounding white space. Empty messages are left out.

        Raises:
            VariablesInvalid: a value is not JSON, lacks an attribute that a template reads, or is too large.
            PromptInvalid: a template cannot be rendered, or every message came out empty.
        """
        values = _as_json(variables)
        texts = [self._render(index, values) for index in range(len(self.messages))]
        rendered = tuple(
            Message(role=template.role, parts=(Text(text=text, cache=template.cache),), prefix=template.prefix)
            for template, text in zip(self.messages, texts, strict=True)
            if text
        )
        if not rendered:
            raise PromptInvalid(f"{self.path}:{self.messages[0].line}:1: with these variables every message is empty")
        return rendered

    def _render(self, index: int, values: dict[str, JsonValue]) -> str:
        try:
            text = self._environment.render_template(str(index), **values).strip()
        except TemplateError as error:
            problem = problem_of(error, self.messages[index])
            kind = VariablesInvalid if error.kind == "UndefinedError" else PromptInvalid
            raise kind(f"{self.path}:{problem.line}:{problem.column}: {problem.message}") from None
        except _TooLarge:
            text = None
        except _TooGreat as error:
            raise VariablesInvalid(f"{self.path}:{self.messages[index].line}:1: {error}") from None
        except Exception as error:  # templates may call methods of lists and dicts, which may raise anything
            where = f"{self.path}:{self.messages[index].line}:1"
            raise PromptInvalid(f"{where}: the template cannot be rendered: {error!r}") from error
        if text is None or len(text) > LIMIT:
            raise self._too_large(self.messages[index], values)
        return text

    def _too_large(self, template: Template, values: dict[str, JsonValue]) -> VariablesInvalid:
        size, name = max(((len(json.dumps(value)), name) for name, value in values.items()), default=(0, "none"))
        return VariablesInvalid(
            f"{self.path}:{template.line}:1: the message is over {LIMIT:,} characters long; the largest variable is "
            f"`{name}` with {size:,}. Give the model less: select, shorten or summarise it first",
            ErrorDetail(field=name, size=size),
        )


def check(template: Template) -> Iterator[Problem]:
    """Yield the problems of a template that are visible without its variables."""
    environment = _environment()
    try:
        environment.add_template("", template.text)
    except TemplateError as error:
        yield problem_of(error, template)
        return
    for tag in _TAG.finditer(template.text):
        for name in _NAME.finditer(tag["code"] or ""):
            kind = name.lastgroup
            if kind and not _exists(environment, kind, name[kind]):
                line, column = _position(template, tag.start() + name.start(kind))
                yield Problem(line, column, f"there is no {kind} `{name[kind]}` in templates")


def problem_of(error: TemplateError, template: Template) -> Problem:
    """Return the position in the file, and the problem."""
    if error.range is None:
        line, column = template.line + (error.line or 1) - 1, 1
    else:
        before = template.text.encode()[: error.range[0]].decode(errors="ignore")
        line, column = _position(template, len(before))
    if error.kind == "OutOfFuel":
        return Problem(line, column, "the template runs for too long: loop over fewer items")
    if error.kind == "UndefinedError":
        return Problem(line, column, f"{error.detail or 'this value'}: the given value has no such part")
    return Problem(line, column, error.detail or error.message)


def _position(template: Template, offset: int) -> tuple[int, int]:
    before = template.text[:offset]
    return template.line + before.count("\n"), len(before) - before.rfind("\n")


def _exists(environment: Environment, kind: str, name: str) -> bool:
    if kind == "filter":
        return name in FILTERS
    # minijinja looks up tests when they run, and does not list them: so run each on nothing.
    try:
        environment.eval_expr(f"0 is {name}")
    except TemplateError as error:
        return error.kind != "UnknownTest"
    return True


class _TooLarge(Exception):
    pass


class _TooGreat(Exception):
    pass


@pass_state
def _to_text(state: State, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    size = int(state.get_temp("size", 0)) + len(text)
    if size > LIMIT:
        raise _TooLarge
    state.set_temp("size", size)
    return text


def _environment() -> Environment:
    environment = Environment(
        undefined_behavior="strict",
        fuel=FUEL,
        finalizer=_to_text,
        auto_escape_callback=lambda _: False,
        trim_blocks=True,
        lstrip_blocks=True,
        pycompat=False,
    )
    for name in set(environment.globals) - set(GLOBALS):
        environment.remove_global(name)
    for name in OTHER_FILTERS:
        environment.remove_filter(name)
    for name, most in NUMBERS.items():
        environment.add_filter(name, _with_bounded_numbers(name, most))
    return environment


def _with_bounded_numbers(name: str, most: int) -> Callable[..., object]:
    """Return minijinja's own filter, which takes small numbers only."""
    original = Environment(undefined_behavior="strict", fuel=FUEL)

    def bounded(value: object, *given: object, **named: object) -> object:
        for number in (*given, *named.values()):
            if isinstance(number, int | float) and not -most <= number <= most:
                raise _TooGreat(f"`{name}` takes numbers up to {most:,}")
        arguments = ", ".join([f"given[{at}]" for at in range(len(given))] + [f"{one}=named.{one}" for one in named])
        return original.eval_expr(f"value|{name}({arguments})", value=value, given=given, named=named)

    return bounded


def _as_json(variables: dict[str, JsonValue]) -> dict[str, JsonValue]:
    # A copy, so that no template can change what the caller still holds.
    try:
        return json.loads(json.dumps(variables, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise VariablesInvalid(f"variables must be JSON: {error}") from None
