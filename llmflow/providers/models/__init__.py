"""models.yaml: providers, aliases with their candidates, routing, and limits."""
