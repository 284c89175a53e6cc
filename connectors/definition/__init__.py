"""What the YAML definition of any connector may say."""
