"""Settings: read once from the environment, at the edges (cli, workers), and handed down as data."""

from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from llmflow.errors import ConfigInvalid


class Settings(BaseSettings):
    """What the environment says: variables `LLMFLOW_*`, and the names below that others made standard.

    How to reach Temporal is not here: `llmflow.client.connect` reads Temporal's own environment variables and
    profiles, so that the `temporal` CLI and llmflow always mean the same server.
    """

    model_config = SettingsConfigDict(env_prefix="LLMFLOW_", frozen=True, extra="ignore")

    models: str | None = None
    """Path of a models.yaml that replaces the app's own, or `offline` for the built-in one without a model."""
    home: Path = Path(".llmflow")
    """Folder of this project's local state: the dev server's database and log, and the prompts that were served."""
    cache: Path = Field(default_factory=lambda: user_cache_path("llmflow"))
    """Folder of what is expensive to get and the same for every project: the Temporal CLI."""
    documents: Path = Path()
    """Folder that the research assistant may read; the current one by default."""
    temporal_address: str | None = Field(default=None, validation_alias="TEMPORAL_ADDRESS", pattern=r"^\S+:\d+$")
    """`host:port` of a server to use instead of starting one, as Temporal's own tools read it."""

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment.

        Raises:
            ConfigInvalid: a variable does not parse; the message names it.
        """
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            name = field if field.isupper() else f"LLMFLOW_{field.upper()}"
            raise ConfigInvalid(f"environment variable {name}: {first['msg']}") from None
