"""The activity that raises a budget after an approval."""

from temporalio import activity

from llmflow.stores.budgets.raises import raise_once
from llmflow.stores.database import Database
from llmflow.types.addresses import joined
from llmflow.types.budgets import Raised, RaiseRequest
from llmflow.types.contracts import RAISE


class Raises:
    """Raises budgets in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RAISE.name)
    async def raise_budget(self, request: RaiseRequest) -> Raised:
        """Add to the limit of a budget, once: a second attempt finds the first in the log.

        Raises:
            BudgetNotFound: there is no such budget.
            StoreUnavailable: the store does not answer.
        """
        info = activity.info()
        id = joined((info.workflow_run_id or "", info.activity_id))
        return Raised(usd=await raise_once(self._database, id, request))
