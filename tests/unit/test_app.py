"""App and where it is found."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter, create_model
from temporalio import workflow

from llmflow.app import App, load_app, together
from llmflow.errors import ConfigInvalid
from llmflow.tools import FunctionTool, search_documents
from llmflow.types.calls import CallOptions
from tests.integration.hello.workflows import Typed


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn(name="Nothing")
class Different:
    @workflow.run
    async def run(self) -> None: ...


class NotOne: ...


def tool_named(name: str, module: str = __name__) -> FunctionTool[[], str]:
    def function() -> str:
        return ""

    function.__module__ = module

    return FunctionTool(
        name=name,
        description="",
        function=function,
        arguments=create_model(name),
        output=TypeAdapter(str),
        options=CallOptions(),
    )


app = App(name="mine", workflows=[Nothing], tools=[tool_named("one")], passthrough=["my.schemas"])


def test_an_app_is_data() -> None:
    assert app.task_queue == "mine"
    assert app.passthrough_modules == ("my.schemas",)


def test_modules_of_tools_are_passed_through_but_for_those_with_a_workflow() -> None:
    tools = [tool_named("one"), search_documents]
    theirs = search_documents.function.__module__
    assert App(name="mine", workflows=[Nothing], tools=tools).passthrough_modules == (theirs,)
    # The module that defines a workflow counts, and not those that import it, such as this one.
    assert App(name="mine", workflows=[Typed], tools=tools).passthrough_modules == (__name__, theirs)


def test_a_package_of_tools_around_a_workflow_is_not_passed_through() -> None:
    around = tool_named("one", module="tests.integration.hello")
    assert App(name="mine", workflows=[Typed], tools=[around]).passthrough_modules == ()
    assert App(name="mine", workflows=[Nothing], tools=[around]).passthrough_modules == ("tests.integration.hello",)


@pytest.mark.parametrize("module", ["tests", "tests.integration.hello", "tests.integration.hello.workflows"])
def test_a_module_with_a_workflow_in_it_cannot_be_passed_through(module: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"names '{module}', which has the workflow Typed .*schemas.py; or leave"):
        App(name="mine", workflows=[Typed, Nothing], passthrough=["my.schemas", module])


def test_modules_beside_a_workflow_can_be_passed_through() -> None:
    beside = "tests.integration.hello.workflow", "tests.integration.hello.workflows.more", "test"
    assert App(name="mine", workflows=[Typed], passthrough=beside).passthrough_modules == beside


@pytest.mark.parametrize("name", ["", "Mine", "my app", "../x", "-x"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ConfigInvalid, match="lower case"):
        App(name=name, workflows=[])


def test_a_class_that_is_no_workflow_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"NotOne.* is not a workflow: decorate it"):
        App(name="mine", workflows=[NotOne])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match="two tools of one name: search"):
        App(name="mine", workflows=[], tools=[tool_named("search"), tool_named("search")])


def test_several_apps_are_served_together() -> None:
    tools = [tool_named("a"), tool_named("b")]
    one = App(name="one", workflows=[Nothing], tools=tools[:1], redact=lambda text: text.replace("x", ""))
    other = App(name="other", workflows=[Typed, Nothing], tools=tools, redact=str.upper)
    whole = together([one, other])
    assert whole.workflow_types == {"Nothing", "Typed"}
    assert list(whole.workflows) == [Nothing, Typed]
    assert list(whole.tools) == tools
    assert whole.redact is not None
    assert whole.redact("axb") == "AB"
    assert together([one]) is one
    assert together([replace(one, redact=None), replace(other, redact=None)]).redact is None


def test_names_that_mean_two_things_are_refused() -> None:
    one = App(name="one", workflows=[Nothing], tools=[tool_named("a")])
    with pytest.raises(ConfigInvalid, match="two Apps are called 'one'"):
        together([one, one])
    with pytest.raises(ConfigInvalid, match="Apps 'one' and 'other' have two different workflows 'Nothing'"):
        together([one, App(name="other", workflows=[Different])])
    with pytest.raises(ConfigInvalid, match="Apps 'one' and 'other' have two different tools 'a': rename one"):
        together([one, App(name="other", workflows=[], tools=[tool_named("a")])])


def test_load_finds_it() -> None:
    assert load_app("tests.integration.hello.app:app").name == "hello"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nonsense", "package.module:attribute"),
        (":app", "package.module:attribute"),
        ("no.such.module:app", "there is no module 'no' here"),
        ("tests.integration.hello.ap:app", r"there is no module 'tests.integration.hello.ap'"),
        ("tests.integration.hello.app:ap", "it has app"),
        ("json:app", "write `app = App"),
    ],
)
def test_load_says_which_part_is_wrong(path: str, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        load_app(path)


def test_an_app_whose_own_import_is_broken_shows_its_own_error(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "broken_app.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(folder)

    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load_app("broken_app:app")
