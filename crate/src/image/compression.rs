//! Compressed files: gzip, bzip2 and xz, told by their first bytes.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::MAX_UNPACKED;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, one or several members.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard, which is known but not read here.
    Zstd,
}

/// The compression that the bytes begin with the sign of.
pub fn compression(bytes: &[u8]) -> Option<Compression> {
    let magics: [(&[u8], Compression); 4] = [
        (&[0x1f, 0x8b, 0x08], Compression::Gzip),
        (b"BZh", Compression::Bzip2),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
        (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
    ];
    magics
        .into_iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, compression)| compression)
}

/// The plain bytes; `None` for what is not compressed in the way that it begins with.
///
/// # Errors
/// What is larger than [`MAX_UNPACKED`] when unpacked, and Zstandard.
pub fn decompress(compression: Compression, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut plain = Vec::new();
    let done = match compression {
        Compression::Gzip => MultiGzDecoder::new(bytes)
            .take(MAX_UNPACKED + 1)
            .read_to_end(&mut plain)
            .is_ok(),
        Compression::Bzip2 => bzip2_rs::DecoderReader::new(bytes)
            .take(MAX_UNPACKED + 1)
            .read_to_end(&mut plain)
            .is_ok(),
        Compression::Xz => {
            let mut limited = Limited(&mut plain);
            lzma_rs::xz_decompress(&mut &*bytes, &mut limited).is_ok()
        }
        Compression::Zstd => {
            return Err("archives compressed with zstd cannot be unpacked here".into());
        }
    };
    if plain.len() as u64 > MAX_UNPACKED {
        return Err(format!(
            "the archive is larger than {MAX_UNPACKED} bytes when unpacked"
        ));
    }
    Ok(done.then_some(plain))
}

/// Takes bytes until there are too many.
struct Limited<'a>(&'a mut Vec<u8>);

impl std::io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() as u64 > MAX_UNPACKED {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
