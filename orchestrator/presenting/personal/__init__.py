"""The one gate that everything shown of payloads goes through, by whatever way it goes out."""
