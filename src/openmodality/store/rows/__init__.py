"""The rows of the database, by subject; all SQL of the product stands here."""
