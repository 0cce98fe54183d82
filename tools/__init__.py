"""What the Makefile calls: the trace of requirements, the house rules, the check of the documents."""
