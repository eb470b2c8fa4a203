"""Templates with the values of strangers: bounded in time and memory, whatever a number or a text is."""

import resource

import pytest
from pydantic import JsonValue

from llmflow.errors import PromptInvalid, VariablesInvalid
from llmflow.prompts.templates import OTHER_FILTERS, Template, Templates, check

VALUES: dict[str, JsonValue] = {
    "huge": 10**15,
    "million": 10**6,
    "negative": -(10**15),
    "float": 1e308,
    "text": "ab c\n" * 1_000,
    "items": list(range(1_000)),
    "nested": [[[[[1]]]]],
}
ATTACKS = (
    "{{ text|indent(huge) }}",
    "{{ text|indent(negative) }}",
    "{{ text|indent(float) }}",
    "{{ text|indent(million, true) }}",
    "{{ text|indent(width=million) }}",
    "{{ items|batch(huge) }}",
    "{{ items|batch(million, 1)|list|length }}",
    "{{ items|batch(0) }}",
    "{{ items|slice(huge) }}",
    "{{ items|slice(million)|list|length }}",
    "{{ items|slice(negative) }}",
    "{{ items|tojson(indent=huge) }}",
    "{{ items|tojson(indent=million) }}",
    "{{ items|tojson(indent=negative) }}",
    "{{ items|map('tojson', huge)|list }}",
    "{{ [text]|map('indent', huge)|list }}",
    "{{ [items]|map('batch', huge)|list }}",
    "{{ text|lines|join(text) }}",
    "{{ text|split(' ')|join(text|join(text))|length }}",
    "{{ items|map('string')|join(text)|list|join(text) }}",
    "{{ range(huge)|length }}",
    "{{ range(million)|list|length }}",
    "{{ range(negative, huge)|length }}",
    "{{ text * huge }}",
    "{{ 'x' * million * million }}",
    "{{ items * huge }}",
    "{{ [items] * million * million }}",
    "{{ huge ** huge }}",
    "{{ 1.5|round(huge) }}",
    "{{ text|replace('a', text) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ text|wordwrap(1, wrapstring=text) }}",
    "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in items %}{{ text }}{% endfor %}",
    "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% set n = namespace(x='x') %}{% for a in items %}{% set n.x = n.x ~ n.x %}{% endfor %}",
)
"""Each is refused."""

GOOD = {
    "{{ nested|tojson }}": "[[[[[1]]]]]",
    "{{ nested[0][0]|tojson(indent=2) }}": "[\n  [\n    [\n      1\n    ]\n  ]\n]",
    "{{ 'a\\nb'|indent(2) }}": "a\n  b",
    "{{ 'a\\nb'|indent(2, true)|length }}": "7",
    "{{ 'a\\nb'|indent(width=3, first=true)|length }}": "9",
    "{{ items|batch(500)|list|length }}": "2",
    "{{ items|batch(300, 0)|list|length }}": "4",
    "{{ items|slice(3)|list|length }}": "3",
    "{{ ['a', 'b']|join(', ') }}": "a, b",
    "{{ items|map('tojson')|list|length }}": "1000",
    "{{ range(3)|list|length }}": "3",
}


def render(template: str) -> str:
    [message] = Templates("hostile.prompt", (Template("user", template, 1),)).render({**VALUES})
    return message.text


@pytest.mark.parametrize("template", ATTACKS)
def test_a_template_cannot_run_or_grow_for_long(template: str) -> None:
    before, began = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    with pytest.raises((PromptInvalid, VariablesInvalid)):
        render(template)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss < 200_000, "kB"
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_utime - began < 2, "s"


@pytest.mark.parametrize(("template", "text"), GOOD.items())
def test_small_numbers_are_as_ever(template: str, text: str) -> None:
    assert render(template) == text


@pytest.mark.parametrize("name", OTHER_FILTERS)
def test_other_filters_are_refused_when_a_prompt_is_read(name: str) -> None:
    [problem] = check(Template("user", "{{ text|" + name + " }}", 1))
    assert problem.message == f"there is no filter `{name}` in templates"
    with pytest.raises(PromptInvalid):
        render("{{ [text]|map('" + name + "')|list }}")
