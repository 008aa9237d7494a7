"""Statistics that rules share. Pure numpy; each method names its source."""
