"""Real proxies in front of a canary stream: set-ups that are known to stream and set-ups that are known not to."""
