"""What is new at the sources: listing, and fetching with bounded bytes in flight."""
