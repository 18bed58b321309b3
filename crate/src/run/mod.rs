//! What RUN runs: the shell, the programs, the package managers.
