"""One file = one rule. The list of rules is in `windsock.findings`."""
