"""What the rules about DAG parsing share."""
