"""Loads and validates profiles and site files."""
