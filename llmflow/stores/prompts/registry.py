"""Registry of every prompt version that was ever served, and of those that a run begins with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import JSON, Connection, String, bindparam, cast, null, select, union_all

from llmflow.errors import ErrorDetail, PromptInvalid, PromptVersionMissing
from llmflow.prompts.files import parse_prompt
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.states import state_of
from llmflow.stores.prompts.versions import add_versions
from llmflow.stores.schema import prompt_labels, prompt_rollouts, prompt_versions
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.rollouts import Rollout, Unit

_SHOWN = 5  # versions, in an error

_label = bindparam("label", type_=String)
_names = bindparam("names", type_=String, expanding=True)
_labels, _rollouts, _versions = prompt_labels.c, prompt_rollouts.c, prompt_versions.c
# Rollouts and labels in one query: every run needs it once.
_CHOICES = union_all(
    select(_rollouts.name, null().label("version"), _rollouts.salt, _rollouts.unit, _rollouts.arms).where(
        _rollouts.label == _label, _rollouts.name.in_(_names)
    ),
    select(_labels.name, _labels.version, null(), null(), cast(null(), JSON)).where(
        _labels.label == _label, _labels.name.in_(_names)
    ),
)


@dataclass(frozen=True)
class Choice:
    """Version that new runs get of a prompt, instead of its file's."""

    version: str
    source: PromptSource
    rollout: Rollout | None = None
    """The rollout that chose the version, if one did."""


class Registry:
    """Prompt versions: those in a worker's files, and all that were ever served, in the store.

    Args:
        database: The store.
        served: Prompts of the files.
    """

    def __init__(self, database: Database, served: Prompts) -> None:
        self.served = served
        self._database = database
        self._loaded: dict[PromptRef, PromptVersion] = {prompt.ref: prompt for prompt in served}

    async def push(self, by: str) -> tuple[PromptRef, ...]:
        """Store the versions of the files that the store does not have yet, under the name of their author.

        Returns:
            The new ones.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        return await self._database.write(lambda connection: add_versions(self._database, connection, self.served, by))

    async def add(self, prompt: PromptVersion, by: str) -> None:
        """Store a version that no file has, so that every worker can load it.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if prompt.ref not in self._loaded:
            await self._database.write(lambda connection: add_versions(self._database, connection, [prompt], by))
            self._loaded[prompt.ref] = prompt

    async def get(self, ref: PromptRef) -> PromptVersion:
        """Return exactly that version, from the files or from the store.

        Raises:
            PromptVersionMissing: neither has it; lists those that exist. Or this llmflow cannot read the text in the
                store.
            StoreUnavailable: the database does not answer.
        """
        if ref not in self._loaded:
            self._loaded[ref] = await self._load(ref)
        return self._loaded[ref]

    async def find(self, name: str, word: str) -> tuple[PromptVersion, PromptSource]:
        """Resolve a word to a version: the name of a label, a version or its first digits.

        Raises:
            PromptNotFound: the store does not know the prompt.
            PromptVersionMissing: the word means none of its versions; lists those that exist.
            InputInvalid: it means several.
            StoreUnavailable: the database does not answer.
        """
        state = await self._database.read(lambda connection: state_of(connection, name))
        prompt = await self.get(PromptRef(name=name, version=state.find(word)))
        return prompt, PromptSource(label=word if word in state.labels else None)

    async def has_text(self, name: str, text: str) -> bool:
        """True if the store has exactly this text as a version of the prompt.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        query = select(_versions.version).where(_versions.name == name, _versions.text == text)
        return await self._database.read(lambda connection: connection.scalar(query)) is not None

    async def choose(self, names: Collection[str], label: str, units: Mapping[Unit, str]) -> dict[str, Choice]:
        """Resolve the versions of the prompts that have the label; the others follow their files.

        Args:
            names: Names of prompts.
            label: Label that runs follow. Its rollout takes precedence over its target.
            units: Names of the run's units, which decide a rollout.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        parameters = {"label": label, "names": list(names)}
        rows = await self._database.read(lambda connection: connection.execute(_CHOICES, parameters).all())
        chosen: dict[str, Choice] = {}
        for name, version, salt, unit, arms in rows:
            if salt is not None:
                rollout = Rollout(salt=salt, unit=unit, arms=arms)
                arm = rollout.arm_of(units[unit])
                chosen[name] = Choice(arm.version, PromptSource(label=label, arm=arm.arm), rollout)
            elif version and name not in chosen:
                chosen[name] = Choice(version, PromptSource(label=label))
        return chosen

    async def _load(self, ref: PromptRef) -> PromptVersion:
        of_name = select(_versions.version, _versions.text).where(_versions.name == ref.name)

        def read(connection: Connection) -> tuple[str | None, list[str]]:
            text = connection.scalar(of_name.with_only_columns(_versions.text).where(_versions.version == ref.version))
            if text is not None:
                return text, []
            known = of_name.with_only_columns(_versions.version).order_by(_versions.at.desc()).limit(_SHOWN)
            return None, list(connection.scalars(known))

        text, known = await self._database.read(read)
        try:
            prompt = parse_prompt(text, ref.name, f"{ref} in the store") if text is not None else None
        except PromptInvalid as error:  # it parsed where it was stored; another worker may be as new as that one
            raise PromptVersionMissing(
                f"{error.message}. "
                "If a newer llmflow has stored it, upgrade this one; until then, another worker may serve it",
                ErrorDetail(field=ref.name),
            ) from None
        if prompt is None or prompt.ref != ref:
            raise PromptVersionMissing(
                f"`{ref}` is neither in the files here nor in the store {self._database.name}"
                f"{_what_is_there(known, prompt)}. Give all workers the same LLMFLOW_STORE, or start the run again",
                ErrorDetail(field=ref.name),
            )
        return prompt


def _what_is_there(known: list[str], damaged: PromptVersion | None) -> str:
    if damaged:
        return f", which has under it the text of `{damaged.ref}`"
    return f", which has {', '.join(known)} of it" if known else ", which has no version of it"
