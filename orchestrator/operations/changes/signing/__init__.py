"""Signed decisions: what is signed, whether it holds, and the proof for whoever asks later."""
