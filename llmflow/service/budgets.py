"""Budgets of tenants, users, tags, Apps and keys; and those of runs, which are given at their start."""

from collections.abc import Sequence
from decimal import Decimal

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.service.costs import ledger
from llmflow.stores.budgets import balances
from llmflow.types.budgets import Balance, Budget, BudgetName, Scope


async def list_budgets(store: str, scope: Scope | None = None) -> Sequence[Balance]:
    """Return the newest 100 budgets of a scope in the store at a URL; without a scope, all but those of runs.

    Raises:
        ConfigInvalid: the store has an older schema, or does not exist.
        StoreUnavailable: the store does not answer.
    """
    async with ledger(store) as database:
        return await balances.all_budgets(database, scope)


async def show_budget(store: str, of: BudgetName) -> Balance:
    """Return a budget, with the in-flight calls that hold its money.

    Raises:
        BudgetNotFound: there is no such budget.
        ConfigInvalid, StoreUnavailable: see `list_budgets`.
    """
    async with ledger(store) as database:
        return await balances.find_budget(database, of)


async def set_budget(store: str, of: BudgetName, budget: Budget) -> Balance:
    """Make a budget, or change the limit of an existing one, and return it. Workers notice a new one within 5 seconds.

    Raises:
        InputInvalid: it is that of a run, which is given at its start and can be raised.
        ConfigInvalid, StoreUnavailable: see `list_budgets`.
    """
    if of.scope == "run":
        raise InputInvalid(
            f"the budget of run {of.name} was given at its start: raise it instead", ErrorDetail(field="budget")
        )
    async with ledger(store) as database:
        return await balances.put_budget(database, of, budget)


async def raise_budget(store: str, of: BudgetName, usd: Decimal, by: str) -> Balance:
    """Add US dollars to the limit of a budget, open it if it is closed, and return it. `by` stands in its log.

    Raises:
        BudgetNotFound: there is no such budget.
        ConfigInvalid, StoreUnavailable: see `list_budgets`.
    """
    async with ledger(store) as database:
        return await balances.raise_budget(database, of, usd, by)


async def reset_budget(store: str, of: BudgetName) -> Balance:
    """Forget what a budget has spent, open it if it is closed, and return it. In-flight calls keep their reservations.

    Raises:
        BudgetNotFound: there is no such budget.
        ConfigInvalid, StoreUnavailable: see `list_budgets`.
    """
    async with ledger(store) as database:
        return await balances.reset_budget(database, of)
