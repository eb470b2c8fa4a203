"""Questions to the ledger: costs, comparisons of prompt versions, prices of today."""
