"""What tests of every room share: engines, people, clients."""
