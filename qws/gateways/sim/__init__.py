"""The simulated exchange: bars, tape, book, account, and the adapters `PaperBroker` and `PaperQuotes`."""
