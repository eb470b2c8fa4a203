"""Versions of a prompt: compare two of them, and write one back to its file."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from llmflow.app import App
from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, Remedy
from llmflow.prompts.prompt import PromptVersion
from llmflow.service.prompts.store import PromptStore
from llmflow.stores.prompts.changes import FILE
from llmflow.stores.prompts.states import PromptState


@dataclass(frozen=True)
class Difference:
    """Two versions of a prompt, and the lines that differ."""

    old: PromptVersion
    new: PromptVersion
    lines: tuple[str, ...]
    """A unified diff."""
    unlabelled: bool
    """True if the label does not exist: `old` is then the newest version in the store that is not the file's."""


async def difference(
    store: PromptStore, name: str, before: str | None, after: str, file: Callable[[], PromptVersion]
) -> Difference:
    """Compare two versions of a prompt.

    Args:
        store: Store of versions.
        name: Name of the prompt.
        before: Word for a version; the label that runs follow if left out.
        after: Word for the other version, likewise.
        file: Prompt of the file, which the word `file` means.

    Raises:
        PromptNotFound: the store does not have one of them.
    """
    label = store.settings.label
    word = before or label
    if before is None and label not in (state := await store.labels.state(name)).labels:
        word = _newest_other(state, file().ref.version)
    old, new = [file() if one == FILE else await store.prompt(name, one) for one in (word, after)]
    unlabelled = word != (before or label)
    titles = f"{old.ref} ({'in the store' if unlabelled else word})", f"{new.ref} ({after})"
    lines = unified_diff(old.text.splitlines(), new.text.splitlines(), titles[0], titles[1], lineterm="")
    return Difference(old, new, tuple(lines), unlabelled)


def _newest_other(state: PromptState, of_file: str) -> str:
    """Return the file's own version if the store has no other."""
    stored = [one.version for one in state.versions]
    return next((version for version in stored if version != of_file), stored[0])


@dataclass(frozen=True)
class Pulled:
    """A version, after it was written to its file."""

    prompt: PromptVersion
    path: Path
    written: bool
    """False if the file had that text already."""


async def pull(store: PromptStore, app: App, name: str, word: str | None, *, force: bool) -> Pulled:
    """Write a version of a prompt to its file.

    Args:
        store: Store of versions.
        app: Name of the App that has the file.
        name: Name of the prompt.
        word: Word for a version; the label that runs follow if left out.
        force: Also overwrite a text that the store does not have.

    Raises:
        InputInvalid: it is not a prompt of the App, or the text of the file would be lost.
        PromptNotFound: the store does not have it.
        ConfigInvalid: the file cannot be read or written.
    """
    path = file_of(app, name)
    there = _text(path)
    prompt = await store.prompt(name, word or store.settings.label)
    if there == prompt.text:
        return Pulled(prompt, path, written=False)
    if there is not None and not force and not await store.registry.has_text(name, there):
        raise InputInvalid(
            f"{path} has a text that the store does not have, and it would be lost (of versions that differ in "
            "comments only, the store has the first)",
            ErrorDetail(field="force", remedy=Remedy(action="keep_text")),
        )
    _write(path, prompt.text)
    return Pulled(prompt, path, written=True)


def file_of(app: App, name: str) -> Path:
    """Return the path of a prompt's file, which need not exist.

    Raises:
        InputInvalid: it is not a prompt of the App.
    """
    first, *rest = name.split("/")
    if app.prompts is None or first != app.name or not rest:
        raise InputInvalid(f"`{name}` is not a prompt of the App {app.name!r}: its prompts are called {app.name}/...")
    return app.prompts.joinpath(*rest[:-1], f"{rest[-1]}.prompt")


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig", "replace") if path.exists() else None
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be written: {error.strerror}") from None
