"""The demonstration: a virtual hospital and a scheduled exam of each device."""
