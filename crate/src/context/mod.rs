//! The build context: the files a builder is sent, `.dockerignore`, and content digests.
