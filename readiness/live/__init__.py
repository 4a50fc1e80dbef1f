"""One reader of the ledger in each web process, for every stream that is open there."""
