"""How fast task logs are read, beside what people would use otherwise."""
