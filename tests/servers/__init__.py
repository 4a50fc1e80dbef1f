"""Real servers for the tests, started in folders of their own and gone when the tests are, however these end."""
