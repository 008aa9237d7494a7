"""How much memory a pull takes at its peak, whatever it reads: `python -m benchmarks.memory`."""
