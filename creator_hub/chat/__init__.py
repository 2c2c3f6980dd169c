"""Messages, reactions, read marks, search: what people say in a channel."""
