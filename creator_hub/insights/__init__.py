"""Who stays, who goes and what it brings: daily membership facts, and the reports read from them."""
