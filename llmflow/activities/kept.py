"""Keeps results of agents' tools in the store: histories have a preview of them."""

import json
import logging
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.errors import StoreUnavailable
from llmflow.stores.conversations.contents import put_content
from llmflow.stores.database import Database
from llmflow.stores.texts import storable
from llmflow.types.contracts import KEPT
from llmflow.types.conversations import KeptResult

INLINE = 400
"""Characters of a result that the history holds whole."""
PREVIEW = 60
"""Characters of a longer one in the history."""

_log = logging.getLogger("llmflow.tools")


class KeptResults(Interceptor):
    """Interceptor that stores the results of activities whose workflow asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Keeping(next, self._database)


class _Keeping(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, database: Database) -> None:
        super().__init__(next)
        self._database = database

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        result = await super().execute_activity(input)
        if not KEPT.read(input.headers, activity.payload_converter()):
            return result
        text = storable(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False))
        if len(text) <= INLINE:
            return KeptResult(text=text)
        try:
            content = await put_content(self._database, text)
        except StoreUnavailable as error:  # the tool has done its work, which a retry would repeat
            _log.warning("%s The history has the whole result of %s", error.message, activity.info().activity_id)
            return KeptResult(text=text)
        return KeptResult(text=text[:PREVIEW], content=content, size=len(text))
