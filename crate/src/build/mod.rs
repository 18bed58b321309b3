//! Building: instructions to operations, cache keys, execution, and the explanation of each key.
