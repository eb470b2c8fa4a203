"""The store of prompts while it is open: versions, labels and rollouts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from llmflow.config import Settings
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.types.refs import PromptRef


@dataclass(frozen=True)
class PromptStore:
    """The store while it is open."""

    settings: Settings
    database: Database

    @property
    def labels(self) -> Labels:
        """Labels and rollouts."""
        return Labels(self.database)

    @property
    def registry(self) -> Registry:
        """The versions that the store has, whatever the files say."""
        return Registry(self.database, Prompts())

    def reason(self, why: str | None, *, force: bool) -> Reason:
        """Who, and why."""
        return Reason(by=self.settings.by, why=why, force=force)

    async def prompt(self, name: str, word: str) -> PromptVersion:
        """A prompt as the store has it, in the version that a word means.

        Raises:
            PromptNotFound: the store does not have it.
        """
        version = (await self.labels.state(name)).find(word)
        return await self.registry.get(PromptRef(name=name, version=version))

    async def push(self, prompts: Prompts) -> tuple[PromptRef, ...]:
        """Store the versions of an App's files. No label moves.

        Returns:
            Those that are new.
        """
        return await Registry(self.database, prompts).push(self.settings.by)


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = False) -> AsyncGenerator[PromptStore]:
    """Open the store that the settings name.

    Args:
        settings: Also say who changes something, and which label runs follow.
        create: Make an SQLite file that is not there, because the files of an App go into it.

    Raises:
        StoreUnavailable: it does not answer.
        ConfigInvalid: it is not there, or of another schema.
    """
    async with Database(settings.store_url, create=create) as database:
        yield PromptStore(settings, database)


def store_name(settings: Settings) -> tuple[str, bool]:
    """Where the store is, without its password; and whether it is a file that is not there."""
    database = Database(settings.store_url)
    return database.name, database.is_missing
