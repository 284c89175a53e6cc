"""The fuzzer: what strangers may send, by the thousand, against real processes."""
