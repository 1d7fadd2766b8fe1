"""Whole days of the real system on virtual time, with every fault a broker, a disk or a person can bring, by a seed."""
