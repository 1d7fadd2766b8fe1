"""Robots in groups, webhooks and mail. A reply of HTTP 200 is no success: the service must say that it took it."""
