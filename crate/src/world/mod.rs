//! What is outside a build: base images, package repositories, clock, network, machine speed.
