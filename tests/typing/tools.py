# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of `@tool`, and errors that it must report.

This file is checked, not run. A line that must be an error carries `# pyright: ignore[rule]  # expected: why`; when
pyright stops complaining there, the then unnecessary comment is the error.
"""

from datetime import timedelta
from typing import assert_type

from temporalio.common import RetryPolicy

from llmflow.tools import (
    FetchedPage,
    FunctionTool,
    SavedFile,
    SearchResult,
    fetch_url,
    run_tool,
    save_file,
    search_documents,
    tool,
)


@tool
async def search(query: str, limit: int = 8) -> list[str]:
    """Search."""
    return [query] * limit


@tool
def count(text: str) -> int:
    """Count."""
    return len(text)


@tool(name="other-name", start_to_close_timeout=timedelta(seconds=5), task_queue="gpu")
async def configured(query: str) -> str | None:
    """Search."""
    return query


@tool(retry_policy=RetryPolicy(maximum_attempts=1), approval=True)
def configured_sync(*, flag: bool) -> tuple[int, str]:
    """Count."""
    return int(flag), ""


assert_type(count, FunctionTool[[str], int])  # pyright: ignore[reportAssertTypeFailure]  # expected: `text` has a name, too


async def calls() -> None:
    assert_type(await search("saga"), list[str])
    assert_type(await search(query="saga", limit=3), list[str])
    assert_type(await count(text="saga"), int)
    assert_type(await configured("saga"), str | None)
    assert_type(await configured_sync(flag=True), tuple[int, str])
    assert_type(await search.with_options(task_queue="gpu")("saga"), list[str])
    assert_type(await run_tool(search, {"query": "saga"}), list[str])
    assert_type(await run_tool(count, {"text": "saga"}), int)


async def shipped() -> None:
    assert_type(await fetch_url(url="https://example.com"), FetchedPage)
    assert_type(await search_documents(query="saga", folder="docs", limit=3), SearchResult)
    assert_type(await save_file(path="report.md", content="# Report"), SavedFile)


async def mistakes() -> None:
    await search()  # pyright: ignore[reportCallIssue]  # expected: `query` is missing
    await search(qurey="saga")  # pyright: ignore[reportCallIssue]  # expected: no such parameter
    await search(query=3)  # pyright: ignore[reportArgumentType]  # expected: wrong type
    await configured("saga", 3)  # pyright: ignore[reportCallIssue]  # expected: too many
    await configured_sync(True)  # pyright: ignore[reportCallIssue]  # expected: by name only
    len(await count("saga"))  # pyright: ignore[reportArgumentType]  # expected: an int
    await save_file(path="report.md")  # pyright: ignore[reportCallIssue]  # expected: `content` is missing


tool(start_to_close_timeout=5)  # pyright: ignore[reportArgumentType]  # expected: a timedelta
tool(retry_policy=2)  # pyright: ignore[reportArgumentType]  # expected: a RetryPolicy
tool(retries=2)  # pyright: ignore[reportCallIssue]  # expected: no such option
tool("search")  # pyright: ignore[reportCallIssue, reportArgumentType]  # expected: a function
search.name = "other"  # pyright: ignore[reportAttributeAccessIssue]  # expected: frozen
