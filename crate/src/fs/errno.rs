//! System call errors.

use std::fmt;

/// The result of a filesystem call.
pub type Result<T> = std::result::Result<T, Errno>;

macro_rules! errnos {
    ($($name:ident $text:literal $doc:literal,)*) => {
        /// Why a system call failed, by its POSIX name; displayed as the C library words it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Errno {
            $(#[doc = $doc] $name,)*
        }

        impl fmt::Display for Errno {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Errno::$name => $text,)* })
            }
        }
    };
}

errnos! {
    Eacces "Permission denied" "A search, read or write permission is missing.",
    Ebadf "Bad file descriptor" "The descriptor is not open, or not for this.",
    Ebusy "Device or resource busy" "The path is a mount point.",
    Eexist "File exists" "The name is taken.",
    Efbig "File too large" "A file would grow past the engine's limit.",
    Eilseq "Invalid or incomplete multibyte or wide character" "A name is not UTF-8.",
    Einval "Invalid argument" "A directory would move into itself, or a name is not usable.",
    Eisdir "Is a directory" "A file was expected.",
    Eloop "Too many levels of symbolic links" "More than 40 links were followed.",
    Enametoolong "File name too long" "A name is over 255 bytes or a path over 4096.",
    Enoent "No such file or directory" "Nothing has this name.",
    Enospc "No space left on device" "The engine's limit of inodes is reached.",
    Enotdir "Not a directory" "A directory was expected.",
    Enotempty "Directory not empty" "The directory has entries.",
    Enxio "No such device or address" "Nothing is behind the device.",
    Eperm "Operation not permitted" "Only the owner or root may do this.",
    Erofs "Read-only file system" "The mount is read-only.",
    Exdev "Invalid cross-device link" "The two names are on different mounts, or overlayfs cannot rename a lower directory.",
}

impl std::error::Error for Errno {}
