"""models.yaml: vendors, the models that a name means, which is asked first, and limits."""
