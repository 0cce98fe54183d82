"""The producers of the objects of an exam, one file for each kind; ``registry`` lists those of the end of a step."""
