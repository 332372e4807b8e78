"""One file per YAML word: the steps a pipeline is made of."""
