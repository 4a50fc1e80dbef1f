"""Closed vocabularies: leaves that import nothing of this project."""
