"""What of a received instance is kept."""
