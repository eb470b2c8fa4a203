"""Settings: read once from the environment, at the edges (cli, workers), and passed down as data."""

import base64
import binascii
import getpass
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from llmflow.errors import ConfigInvalid
from llmflow.types import wire
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import changed
from llmflow.types.problems import message_of, problems_of

__all__ = ["Settings"]

_ATTRIBUTES = SearchAttributes(cost=wire.COST_ATTRIBUTE, tags=wire.TAGS_ATTRIBUTE, approval=wire.APPROVAL_ATTRIBUTE)
_Field = Literal["cost", "tags", "approval"]
_Name = Annotated[str, Field(pattern=r"^[^`]+$")]  # values that a list filter can quote


def _renamed(names: Mapping[_Field, str | None]) -> SearchAttributes:
    return changed(_ATTRIBUTES, **names)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container, whose user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class Settings(BaseSettings):
    """Values of the environment: variables `LLMFLOW_*`, and the standard names of others below.

    An empty variable counts as unset.

    The address of Temporal is not here: `llmflow.client.connect` reads Temporal's own environment variables and
    profiles, so that the `temporal` CLI and llmflow always mean the same server.
    """

    model_config = SettingsConfigDict(env_prefix="LLMFLOW_", env_ignore_empty=True, frozen=True, extra="ignore")

    models: str | None = None
    """Path of a models.yaml that replaces the app's own, or `offline` for the built-in one without a model."""
    home: Path = Path(".llmflow")
    """Folder of this project's local state: the databases of the dev server and of llmflow, and their logs."""
    cache: Path = Field(default_factory=lambda: user_cache_path("llmflow"))
    """Folder of downloads that all projects share: the Temporal CLI."""
    store: str | None = None
    """Location of the database: `postgresql://user:password@host/database`, or the path of an SQLite file. The default
    is `llmflow.db` in `home`."""
    events: str | None = None
    """Place of run events that all workers and clients share: `redis://host:port`; the store by default."""
    keep_answers: int = Field(default=7, ge=1)
    """Days for which the ledger keeps answers, so that a second attempt of a call finds the paid answer of the first
    one."""
    label: str = "production"
    """Label of prompts that runs follow. A prompt without it is served from its file."""
    prices: Path | None = None
    """Path of a prices.yaml, which takes precedence over every price list."""
    redis: str | None = None
    """`redis://host:port` that shares the limits of models.yaml between workers; without it each counts alone."""
    by: str = Field(default_factory=_who, min_length=1)
    """Author of label moves, scores, decisions and served prompts, for their records."""
    webhook: str | None = None
    """Webhook that is notified of the questions that runs ask people."""
    webhook_secret: SecretStr | None = Field(default=None, validate_default=True)
    """Signing key of notifications: `whsec_` and 24 to 64 random bytes in base64, as the receiver has it."""
    codec: str | None = None
    """Codec of payloads as `package.module:attribute`: a `PayloadCodec`, or a function that makes one. Without it,
    `connect` uses the codec endpoint of Temporal's profile, if that has one."""
    storage: str | None = None
    """External storage of large values: the path of a folder, `file://`, `s3://`, `gs://` or `az://`. All workers,
    clients and commands of a namespace need the same."""
    search_attributes: dict[_Field, _Name | None] = {}
    """Other names for the search attributes, as JSON: `{"cost": "OurCost", "approval": null}` renames one, and disables
    another."""
    temporal_address: str | None = Field(default=None, validation_alias="TEMPORAL_ADDRESS", pattern=r"^\S+:\d+$")
    """`host:port` of a server to use instead of starting one, as Temporal's own tools read it."""

    @field_validator("search_attributes")
    @classmethod
    def _are_told_apart(cls, names: dict[_Field, str | None]) -> dict[_Field, str | None]:
        wanted = [name for _, name in _renamed(names) if name]
        for name in wanted:
            if wanted.count(name) > 1:
                raise PydanticCustomError(
                    "same_name", "two attributes are called {name}: give each a name of its own", {"name": name}
                )
        return names

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, webhook: str | None) -> str | None:
        if webhook is not None and not re.match(r"https?://[^\s/]+", webhook):
            raise PydanticCustomError("webhook", "give an http(s) address, such as https://example.com/hook")
        return webhook

    @field_validator("webhook_secret")
    @classmethod
    def _signs_the_webhook(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("webhook") is None:
            return secret
        prefix, found, rest = secret.get_secret_value().partition("_") if secret else ("", "", "")
        try:
            fits = prefix == "whsec" and bool(found) and 24 <= len(base64.b64decode(rest, validate=True)) <= 64
        except binascii.Error:
            fits = False
        if not fits:
            raise PydanticCustomError(
                "webhook_secret",
                "LLMFLOW_WEBHOOK is sent signed requests only: set it to `whsec_` and 24 to 64 random bytes in base64",
            )
        return secret

    @property
    def attributes(self) -> SearchAttributes:
        """Return the search attributes that runs write, if their namespace has them."""
        return _renamed(self.search_attributes)

    @property
    def store_url(self) -> str:
        """Return the location of the store."""
        return self.store or str(self.home / "llmflow.db")

    @property
    def events_url(self) -> str:
        """Return the location of run events."""
        return self.events or self.store_url

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment.

        Raises:
            ConfigInvalid: a variable does not parse; the message names it.
        """
        try:
            return cls()
        except ValidationError as error:
            first = problems_of(error)[0]
            field = str(first["loc"][0])
            name = field if field.isupper() else f"LLMFLOW_{field.upper()}"
            raise ConfigInvalid(f"environment variable {name}: {message_of(first)}") from None
        except SettingsError:  # of the only variable that is JSON
            raise ConfigInvalid(
                'environment variable LLMFLOW_SEARCH_ATTRIBUTES: write it as JSON, such as {"cost": "OurCost"}'
            ) from None
