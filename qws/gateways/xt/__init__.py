"""MiniQMT: the ports `Broker`, `Quotes` and `Calendar` over the vendor's own Python, or a package of its shape."""
