"""Open store of prompts: versions, labels and rollouts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from llmflow.config import Settings
from llmflow.errors import PromptVersionMissing
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.types.refs import PromptRef


@dataclass(frozen=True)
class PromptStore:
    """Open store of prompts."""

    settings: Settings
    database: Database

    @property
    def labels(self) -> Labels:
        """Labels and rollouts."""
        return Labels(self.database)

    @property
    def registry(self) -> Registry:
        """Return the versions in the store, whatever the files have."""
        return Registry(self.database, Prompts())

    def reason(self, why: str | None, *, force: bool) -> Reason:
        """Return the author and the reason of a change."""
        return Reason(by=self.settings.by, why=why, force=force)

    async def prompt(self, name: str, word: str) -> PromptVersion:
        """Return a prompt of the store, in the version that a word means.

        Raises:
            PromptNotFound: the store does not have it.
        """
        version = (await self.labels.state(name)).find(word)
        return await self.registry.get(PromptRef(name=name, version=version))

    async def without_file(self, app: str, files: Prompts) -> Prompts:
        """Return the prompts of an App that no file has, inline ones and those of deleted files: the newest versions.

        A version that this llmflow cannot read is left out.
        """
        found: list[PromptVersion] = []
        for name, state in (await self.labels.states(app)).items():
            if name not in files and state.versions:
                with suppress(PromptVersionMissing):
                    found.append(await self.registry.get(PromptRef(name=name, version=state.versions[0].version)))
        return Prompts(found)

    async def push(self, prompts: Prompts) -> tuple[PromptRef, ...]:
        """Store the versions of an App's files. No label moves.

        Returns:
            The new ones.
        """
        return await Registry(self.database, prompts).push(self.settings.by)


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = False) -> AsyncGenerator[PromptStore]:
    """Open the store that the settings name.

    Args:
        settings: Also name the author of changes, and the label that runs follow.
        create: Create a missing SQLite file, because the files of an App go into it.

    Raises:
        StoreUnavailable: it does not answer.
        ConfigInvalid: it does not exist, or has another schema.
    """
    async with Database(settings.store_url, create=create) as database:
        yield PromptStore(settings, database)


def store_name(settings: Settings) -> tuple[str, bool]:
    """Return the location of the store, without its password; and whether it is a missing file."""
    database = Database(settings.store_url)
    return database.name, database.is_missing
