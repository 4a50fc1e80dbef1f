"""The API for programs: ``/api/v1/``, with tokens of its own and never with a browser's session."""
