"""What a pull costs from bucket to lake, beside the script that people write instead."""
