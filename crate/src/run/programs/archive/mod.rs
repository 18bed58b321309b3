//! Archives and compressed files: tar, gzip and its kin, unzip and zip.

mod codec;
mod gzip;
mod pack;
mod tar;
mod unpack;
mod zip;

use super::super::Program;

pub(super) const TABLES: [&[Program]; 3] = [gzip::TABLE, tar::TABLE, zip::TABLE];
