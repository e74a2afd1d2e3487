"""Measurements and fits, each one command."""
