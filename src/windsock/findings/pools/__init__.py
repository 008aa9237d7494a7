"""What the rules about pools share, and what `windsock what-if` answers."""
