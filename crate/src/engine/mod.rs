//! The daemon: images, build cache and the history of builds; a session that forks in O(1).
