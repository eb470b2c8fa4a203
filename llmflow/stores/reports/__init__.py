"""Reports out of the ledger: costs, comparisons of prompt versions, repricing."""
