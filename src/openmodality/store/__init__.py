"""The local database and the instance files."""
