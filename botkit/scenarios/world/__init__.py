"""One scenario's world: a stage with LINE, a queue, a store and a clock, and what its people do there."""
