//! Which files does the platform take, by product and type? Looked at before a byte is sent.
//!
//! Sources: the document of temporary media (新增临时素材); WeCom's document 90253 (上传临时素材). A megabyte has 1 048 576 bytes.

use std::fmt;

use wxtoken_core::Product;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// As what a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// A picture.
    Image,
    /// A recording of at most a minute.
    Voice,
    /// A video.
    Video,
    /// The picture shown for a video or a piece of music. Not on WeCom.
    Thumb,
    /// Any file. On WeCom only.
    File,
}

impl MediaType {
    /// All there are.
    pub const ALL: &'static [Self] = &[Self::Image, Self::Voice, Self::Video, Self::Thumb, Self::File];

    /// The name as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::Thumb => "thumb",
            Self::File => "file",
        }
    }

    /// What a product takes as this type; `None` when it has no such type. Mini programs take images alone, which their
    /// product does not tell.
    #[must_use]
    pub const fn limits(self, product: Product) -> Option<MediaLimits> {
        // WeCom: "all files must be larger than 5 bytes".
        let (min, work) = if matches!(product, Product::Work) { (6, true) } else { (1, false) };
        let (max, endings): (_, &'static [&'static str]) = match (self, work) {
            (Self::Image, false) => (10 * MIB, &["png", "jpeg", "jpg", "gif"]),
            (Self::Image, true) => (10 * MIB, &["jpg", "jpeg", "png"]),
            (Self::Voice, false) => (2 * MIB, &["amr", "mp3"]),
            (Self::Voice, true) => (2 * MIB, &["amr"]),
            (Self::Video, _) => (10 * MIB, &["mp4"]),
            (Self::Thumb, false) => (64 * KIB, &["jpg", "jpeg"]),
            (Self::File, true) => (20 * MIB, &[]),
            (Self::Thumb, true) | (Self::File, false) => return None,
        };
        Some(MediaLimits { min, max, endings })
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a file must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaLimits {
    /// Bytes at least.
    pub min: u64,
    /// Bytes at most.
    pub max: u64,
    /// How its name may end; any way, when empty.
    pub endings: &'static [&'static str],
}

impl MediaLimits {
    pub(crate) fn look_at(&self, file_name: &str, len: u64) -> Result<(), BadMedia> {
        let ending = ending(file_name);
        match len {
            _ if !self.endings.is_empty() && !self.endings.contains(&ending.as_str()) => {
                Err(BadMedia::Ending { allowed: self.endings })
            }
            len if len < self.min => Err(BadMedia::TooSmall { len, min: self.min }),
            len if len > self.max => Err(BadMedia::TooLarge { len, max: self.max }),
            _ => Ok(()),
        }
    }
}

/// What follows the last dot of a name, in lower case; empty without one.
fn ending(file_name: &str) -> String {
    file_name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// The Content-Type of a file's part of the form.
pub(crate) fn content_type(file_name: &str) -> &'static str {
    match ending(file_name).as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "amr" => "audio/amr",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// Why a file is not even sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMedia {
    /// The product has no such type.
    Type(MediaType),
    /// The name does not end as files of this type may.
    Ending {
        /// How it may end.
        allowed: &'static [&'static str],
    },
    /// Too few bytes.
    TooSmall {
        /// How many it has.
        len: u64,
        /// How many it must have at least.
        min: u64,
    },
    /// Too many bytes.
    TooLarge {
        /// How many it has.
        len: u64,
        /// How many it may have at most.
        max: u64,
    },
}

impl fmt::Display for BadMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(MediaType::File) => {
                f.write_str("only WeCom takes any file; choose image, voice, video or thumb")
            }
            Self::Type(kind) => write!(f, "WeCom has no {kind}; choose image, voice, video or file"),
            Self::Ending { allowed } => {
                write!(f, "a file of this type has a name that ends in .{}", allowed.join(", ."))
            }
            Self::TooSmall { len, min } => write!(f, "the file has {len} bytes, it must have {min} at least"),
            Self::TooLarge { len, max } => write!(f, "the file has {len} bytes, it may have {max} at most"),
        }
    }
}

impl std::error::Error for BadMedia {}
