"""The ground floor: clock, ids, money, errors, database, outbox, wire shapes, access and the edge registries."""
