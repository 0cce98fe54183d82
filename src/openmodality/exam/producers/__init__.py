"""What makes the objects of an exam, one file for each kind; ``registry`` names them all."""
