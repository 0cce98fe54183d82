"""Mutated byte streams against the decoders and the live acceptor: ``make fuzz``, see docs/robustness.md."""
