"""What reads raw messages: nothing that a broker or a stranger sends ends a worker."""
