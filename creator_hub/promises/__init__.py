"""What a creator promised, the evidence that they kept it, and the remedy where they did not."""
