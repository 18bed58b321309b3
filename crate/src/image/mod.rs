//! OCI images: layer tars, digests, config, history, manifest, archives.
