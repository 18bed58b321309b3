//! The view model: plain serialisable data, the only thing that the page sees of the engine.
