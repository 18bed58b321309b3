//! Compression.

use std::io::Write;

use flate2::write::GzEncoder;

use crate::image::{self, Compression};

/// A way to compress a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
}

impl Codec {
    /// What the first bytes of a stream say.
    pub fn detect(bytes: &[u8]) -> Option<Codec> {
        match image::compression(bytes)? {
            Compression::Gzip => Some(Codec::Gzip),
            Compression::Bzip2 => Some(Codec::Bzip2),
            Compression::Xz => Some(Codec::Xz),
            Compression::Zstd => None,
        }
    }

    /// Unpacks a stream; nothing where it is broken or too large.
    pub fn unpack(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let compression = match self {
            Codec::Gzip => Compression::Gzip,
            // Stand-ins for archives are packed with gzip where there is no way to do it otherwise.
            Codec::Bzip2 => match image::compression(bytes) {
                Some(Compression::Gzip) => Compression::Gzip,
                _ => Compression::Bzip2,
            },
            Codec::Xz => Compression::Xz,
            Codec::Lzma => {
                let mut out = Vec::new();
                let done = lzma_rs::lzma_decompress(&mut &*bytes, &mut Bounded(&mut out));
                return done.is_ok().then_some(out);
            }
        };
        image::decompress(compression, bytes).ok()?
    }

    /// Packs a stream; nothing where there is no way to do it here.
    pub fn pack(self, bytes: &[u8], level: u32) -> Option<Vec<u8>> {
        match self {
            Codec::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(level));
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok()
            }
            Codec::Xz => {
                let mut out = Vec::new();
                lzma_rs::xz_compress(&mut &*bytes, &mut out).ok()?;
                Some(out)
            }
            Codec::Lzma => {
                let mut out = Vec::new();
                lzma_rs::lzma_compress(&mut &*bytes, &mut out).ok()?;
                Some(out)
            }
            Codec::Bzip2 => None,
        }
    }
}

/// A buffer that refuses to grow past the limit.
struct Bounded<'a>(&'a mut Vec<u8>);

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > image::MAX_UNPACKED as usize {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks() {
        let text = b"layers ".repeat(100);
        for codec in [Codec::Gzip, Codec::Xz, Codec::Lzma] {
            let packed = codec.pack(&text, 6).expect("it packs");
            assert_eq!(codec.unpack(&packed), Some(text.clone()), "{codec:?}");
        }
        assert_eq!(Codec::Gzip.unpack(b"\x1f\x8bnonsense"), None);
    }
}
